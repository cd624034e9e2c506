#include "core/base/schema/json_schema.h"

#include "core/base/json.h"

#define VALIJSON_USE_EXCEPTIONS 1
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>

namespace aiflow {

namespace {

// "<root>[\"a\"][0]": as "a.0".
std::string placeOf(const std::string& context)
{
    std::string place;
    for (const char c : context.substr(std::min<std::size_t>(context.size(), 6))) {
        if (c == '[' && !place.empty()) place += '.';
        if (c != '[' && c != ']' && c != '"') place += c;
    }
    return place;
}

} // namespace

struct JsonSchema::Compiled {
    valijson::Schema schema;
};

JsonSchema::JsonSchema() : m_compiled(std::make_unique<Compiled>()) {}
JsonSchema::~JsonSchema() = default;

Result<std::shared_ptr<const JsonSchema>> JsonSchema::compile(const Json& schema)
{
    if (!schema.is_object()) return fail(Reason::PipelineInvalid, "a JSON Schema must be an object");
    try {
        std::shared_ptr<JsonSchema> made(new JsonSchema);
        valijson::SchemaParser parser;
        const valijson::adapters::NlohmannJsonAdapter adapter(schema);
        parser.populateSchema(adapter, made->m_compiled->schema);
        return made;
    } catch (const std::exception& error) {
        return fail(Reason::PipelineInvalid, std::string("not a JSON Schema: ") + error.what());
    }
}

std::vector<std::string> JsonSchema::misfits(const Json& value, std::size_t limit) const
{
    std::vector<std::string> found;
    try {
        valijson::Validator validator;
        valijson::ValidationResults results;
        const valijson::adapters::NlohmannJsonAdapter adapter(value);
        if (validator.validate(m_compiled->schema, adapter, &results)) return found;
        valijson::ValidationResults::Error error;
        while (found.size() < limit && results.popError(error)) {
            const std::string place = placeOf(error.context.empty() ? std::string() : [&error] {
                std::string whole;
                for (const std::string& part : error.context) whole += part;
                return whole;
            }());
            found.push_back(place.empty() ? error.description : place + ": " + error.description);
        }
        if (found.empty()) found.emplace_back("does not fit the schema");
    } catch (const std::exception& error) {
        found.emplace_back(std::string("cannot be checked: ") + error.what());
    }
    return found;
}

} // namespace aiflow
