#include "aiflow/workspace.h"
#include "cli/commands/commands.h"
#include "cli/program/console.h"
#include "cli/program/json_text.h"
#include "cli/program/table.h"
#include "cli/session/job_run.h"

#include <algorithm>

namespace aiflow {

namespace {

// MiB with one decimal.
std::string tenthsOf(std::int64_t bytes)
{
    const std::int64_t tenths = (bytes * 10 + 524'288) / 1'048'576;
    return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10);
}

class ModelsCommand final : public Command {
public:
    explicit ModelsCommand(bool verify) : m_verify(verify) {}

    CommandCard card() const override
    {
        if (m_verify)
            return {"models verify",
                    {"Check that every model file is there and unaltered.", "检查每个模型文件是否存在且未被改动。"},
                    "",
                    {{"models verify", {"exit 1 when one is not", "有问题时退出码为 1"}}}};
        return {"models list",
                {"The neural networks that are installed.", "列出已安装的神经网络模型。"},
                "",
                {{"models list", {"names, versions, licences", "名称、版本、许可"}}}};
    }

    void declare(OptionSet& options) override
    {
        options.choice("--output", m_output, "text|json", {"on standard output", "标准输出的形式"});
    }

    int run(const Invocation& invocation) override
    {
        const OutputFormat output = outputFormatOf(m_output);
        auto workspace = Workspace::open(surroundingsOf(invocation.common));
        if (!workspace) return reportError(invocation, output, workspace.error());
        const auto models = (*workspace)->models(m_verify);
        if (!models) return reportError(invocation, output, models.error());
        if (output == OutputFormat::Json)
            invocation.console.out(modelsJson(*models) + "\n");
        else
            invocation.console.out(tableOf(invocation.console, *models));
        const bool bad =
            std::any_of(models->begin(), models->end(), [](const auto& m) { return m.problem.has_value(); });
        if (bad && output == OutputFormat::Text) tellProblems(invocation.console, *models);
        return bad ? 1 : 0;
    }

private:
    static void tellProblems(Console& console, const std::vector<ModelLine>& models)
    {
        for (const ModelLine& model : models)
            if (model.problem) console.error(*model.problem);
    }

    std::string tableOf(const Console& console, const std::vector<ModelLine>& models) const
    {
        const auto say = [&console](Text text) { return std::string(console.say(text)); };
        Table table({say({"model", "模型"}), say({"family", "类型"}), say({"version", "版本"}), "MiB",
                     say({"licence", "许可"}), m_verify ? say({"state", "状态"}) : say({"file", "文件"})});
        table.align(3, Table::Align::Right);
        for (const ModelLine& model : models)
            table.row(
                {model.name, model.family, model.version, tenthsOf(model.bytes), model.licence,
                 m_verify ? say(model.problem ? Text{"bad", "有问题"} : Text{"good", "正常"}) : model.file.string()});
        return table.text();
    }

    bool m_verify;
    std::string m_output = "text";
};

} // namespace

void addModelCommands(CommandList& commands)
{
    commands.push_back(std::make_unique<ModelsCommand>(false));
    commands.push_back(std::make_unique<ModelsCommand>(true));
}

} // namespace aiflow
