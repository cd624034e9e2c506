#include "core/compute/value.h"

#include "core/base/json.h"

#include <algorithm>
#include <array>

namespace aiflow {

namespace {

std::size_t sizeInMemory(const Json& json)
{
    std::size_t size = sizeof(Json);
    if (const auto* text = json.get_ptr<const Json::string_t*>()) return size + sizeof(*text) + text->capacity();
    if (const auto* object = json.get_ptr<const Json::object_t*>())
        for (const auto& [key, value] : *object) size += 64 + key.capacity() + sizeInMemory(value);
    if (const auto* array = json.get_ptr<const Json::array_t*>())
        for (const Json& value : *array) size += sizeInMemory(value);
    return size;
}

bool isBox(const Json& box)
{
    constexpr std::array kEdges{"x1", "y1", "x2", "y2"};
    return box.is_object() && std::ranges::all_of(kEdges, [&](const char* edge) {
               const auto it = box.find(edge);
               return it != box.end() && it->is_number();
           });
}

bool jsonFits(const Json& json, PortType type)
{
    switch (type) {
    case PortType::Text:
        return json.is_string();
    case PortType::Number:
        return json.is_number();
    case PortType::Boolean:
        return json.is_boolean();
    case PortType::Any:
    case PortType::Json:
        return true;
    case PortType::Vector:
        return json.is_array() && std::ranges::all_of(json, [](const Json& n) { return n.is_number(); });
    case PortType::Boxes: {
        const auto boxes = json.is_object() ? json.find("boxes") : json.end();
        return boxes != json.end() && boxes->is_array() && std::ranges::all_of(*boxes, isBox);
    }
    default:
        return false;
    }
}

} // namespace

Value::Value(Json json) : m_data(std::make_shared<const Json>(std::move(json))) {}

const Json* Value::json() const noexcept
{
    const auto* held = std::get_if<std::shared_ptr<const Json>>(&m_data);
    return held == nullptr ? nullptr : held->get();
}

const Image* Value::image() const noexcept { return std::get_if<Image>(&m_data); }

const Blob* Value::blob() const noexcept { return std::get_if<Blob>(&m_data); }

const Value::List* Value::list() const noexcept
{
    const auto* held = std::get_if<std::shared_ptr<const List>>(&m_data);
    return held == nullptr ? nullptr : held->get();
}

std::size_t Value::byteSize() const noexcept
{
    std::size_t size = sizeof(Value);
    if (const Json* held = json()) return size + sizeInMemory(*held);
    if (const Image* held = image()) return size + (held->empty() ? 0 : held->byteSize());
    if (const Blob* held = blob()) return size + held->name.capacity() + (held->bytes ? held->bytes->size() : 0);
    if (const List* held = list())
        for (const Value& value : *held) size += value.byteSize();
    return size;
}

bool Value::fits(PortType type) const noexcept
{
    if (type == PortType::Any) return true;
    if (const Json* held = json()) return jsonFits(*held, type);
    if (const Image* held = image())
        return !held->empty() &&
               (type == PortType::Image || (type == PortType::Mask && held->format == PixelFormat::Gray8));
    if (const Blob* held = blob()) return type == PortType::File && held->bytes != nullptr;
    return type == PortType::List && list() != nullptr;
}

void Values::set(std::string_view name, Value value)
{
    const auto it = std::ranges::find(m_entries, name, &Entry::first);
    if (it != m_entries.end())
        it->second = std::move(value);
    else
        m_entries.emplace_back(name, std::move(value));
}

const Value* Values::find(std::string_view name) const noexcept
{
    const auto it = std::ranges::find(m_entries, name, &Entry::first);
    return it == m_entries.end() ? nullptr : &it->second;
}

const Value& Values::get(std::string_view name) const noexcept
{
    static const Value kEmpty;
    const Value* found = find(name);
    return found == nullptr ? kEmpty : *found;
}

std::size_t Values::byteSize() const noexcept
{
    std::size_t size = 0;
    for (const auto& [name, value] : m_entries) size += name.capacity() + value.byteSize();
    return size;
}

} // namespace aiflow
