#include "aiflow/workspace.h"
#include "cli/commands/commands.h"
#include "cli/program/console.h"
#include "cli/program/json_text.h"
#include "cli/program/table.h"
#include "cli/session/job_run.h"

namespace aiflow {

namespace {

constexpr Text kNameHelp{"a shipped pipeline's name, or a file", "自带流程名或流程文件"};

std::string joined(const std::vector<std::string>& words, std::string_view separator)
{
    std::string text;
    for (const std::string& word : words) text.append(text.empty() ? "" : separator).append(word);
    return text;
}

class PipelinesList final : public Command {
public:
    CommandCard card() const override
    {
        return {"pipelines list",
                {"What is installed.", "列出已安装的流程。"},
                "",
                {{"pipelines list", {"names, titles and columns", "名称、标题与列"}}}};
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
        const auto pipelines = (*workspace)->pipelines();
        if (!pipelines) return reportError(invocation, output, pipelines.error());
        Console& console = invocation.console;
        if (output == OutputFormat::Json) {
            console.out(pipelinesJson(*pipelines) + "\n");
            return 0;
        }
        Table table({std::string(console.say({"name", "名称"})), std::string(console.say({"title", "标题"})),
                     std::string(console.say({"needs columns", "所需列"})),
                     std::string(console.say({"steps", "步骤"}))});
        for (const PipelineLine& line : *pipelines)
            table.row({line.name, std::string(console.say({line.titleEn, line.titleZh})),
                       joined(line.requiredColumns, ", "),
                       line.errors.empty() ? joined(line.steps, " ") : line.errors.front().text()});
        console.out(table.text());
        if (!pipelines->empty()) console.next({"pipelines show " + shellWord(pipelines->front().name)});
        return 0;
    }

private:
    std::string m_output = "text";
};

class PipelinesShow final : public Command {
public:
    CommandCard card() const override
    {
        return {"pipelines show",
                {"One pipeline: columns, steps.", "查看一个流程：列、参数、步骤。"},
                "NAME",
                {{"pipelines show hero-image", {"a shipped one", "自带流程"}},
                 {"pipelines show my/pipeline.yaml", {"a file", "流程文件"}}}};
    }
    void declare(OptionSet& options) override { options.positional("NAME", m_name, Need::Required, kNameHelp); }
    int run(const Invocation& invocation) override
    {
        auto workspace = Workspace::open(surroundingsOf(invocation.common));
        if (!workspace) return reportError(invocation, OutputFormat::Text, workspace.error());
        const bool chinese = invocation.console.language() == Language::Chinese;
        const auto text = (*workspace)->showPipeline(m_name, chinese);
        if (!text) return reportError(invocation, OutputFormat::Text, text.error());
        invocation.console.out(*text);
        return 0;
    }

private:
    std::string m_name;
};

class PipelinesCheck final : public Command {
public:
    CommandCard card() const override
    {
        return {"pipelines check",
                {"Find every mistake in a pipeline file.", "找出流程文件中的所有错误。"},
                "FILE [--set NAME=VALUE]",
                {{"pipelines check my/pipeline.yaml", {"exit 2 when there are mistakes", "有错误时退出码为 2"}}}};
    }
    void declare(OptionSet& options) override
    {
        options.positional("FILE", m_name, Need::Required, kNameHelp);
        options.repeated("--set", m_set, "NAME=VALUE", {"a parameter of the pipeline", "流程参数"});
        options.choice("--output", m_output, "text|json", {"on standard output", "标准输出的形式"});
    }
    int run(const Invocation& invocation) override
    {
        const OutputFormat output = outputFormatOf(m_output);
        const auto set = pairsOf("--set", m_set);
        if (!set) return reportError(invocation, output, set.error());
        auto workspace = Workspace::open(surroundingsOf(invocation.common));
        if (!workspace) return reportError(invocation, output, workspace.error());
        const auto errors = (*workspace)->checkPipeline(m_name, *set);
        if (!errors) return reportError(invocation, output, errors.error());
        Console& console = invocation.console;
        if (output == OutputFormat::Json)
            console.out(checkJson(*errors) + "\n");
        else
            for (const Error& error : *errors) console.error(error);
        if (!errors->empty()) return 2;
        if (output == OutputFormat::Text && !console.quiet())
            console.out(m_name + std::string(console.say({": good\n", "：没有错误\n"})));
        console.next({"pipelines graph " + shellWord(m_name), "batch products.csv -p " + shellWord(m_name)});
        return 0;
    }

private:
    std::string m_name, m_output = "text";
    std::vector<std::string> m_set;
};

class PipelinesGraph final : public Command {
public:
    CommandCard card() const override
    {
        return {"pipelines graph",
                {"Draw a pipeline's steps.", "画出流程的步骤图。"},
                "NAME [--format text|mermaid|dot]",
                {{"pipelines graph hero-image", {"as text", "文本形式"}},
                 {"pipelines graph hero-image --format dot", {"for Graphviz", "供 Graphviz 使用"}}}};
    }
    void declare(OptionSet& options) override
    {
        options.positional("NAME", m_name, Need::Required, kNameHelp);
        options.choice("--format", m_format, "text|mermaid|dot", {"of the drawing", "图的格式"});
    }
    int run(const Invocation& invocation) override
    {
        auto workspace = Workspace::open(surroundingsOf(invocation.common));
        if (!workspace) return reportError(invocation, OutputFormat::Text, workspace.error());
        const GraphFormat format = m_format == "dot"       ? GraphFormat::Dot
                                   : m_format == "mermaid" ? GraphFormat::Mermaid
                                                           : GraphFormat::Text;
        const bool chinese = invocation.console.language() == Language::Chinese;
        const auto text = (*workspace)->pipelineGraph(m_name, format, chinese);
        if (!text) return reportError(invocation, OutputFormat::Text, text.error());
        invocation.console.out(*text);
        return 0;
    }

private:
    std::string m_name, m_format = "text";
};

class PipelinesOps final : public Command {
public:
    CommandCard card() const override
    {
        return {"pipelines ops",
                {"The algorithms that a pipeline's steps can name.", "流程步骤可用的算法。"},
                "",
                {{"pipelines ops", {"names, inputs and outputs", "名称、输入与输出"}}}};
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
        const auto ops = (*workspace)->ops();
        if (!ops) return reportError(invocation, output, ops.error());
        Console& console = invocation.console;
        if (output == OutputFormat::Json) {
            console.out(opsJson(*ops) + "\n");
            return 0;
        }
        Table table({std::string(console.say({"op", "算法"})), std::string(console.say({"inputs", "输入"})),
                     std::string(console.say({"outputs", "输出"})), std::string(console.say({"what", "说明"}))});
        for (const OpLine& op : *ops) table.row({op.name, op.inputs, op.outputs, op.description});
        console.out(table.text());
        return 0;
    }

private:
    std::string m_output = "text";
};

} // namespace

void addPipelineCommands(CommandList& commands)
{
    commands.push_back(std::make_unique<PipelinesList>());
    commands.push_back(std::make_unique<PipelinesShow>());
    commands.push_back(std::make_unique<PipelinesCheck>());
    commands.push_back(std::make_unique<PipelinesGraph>());
    commands.push_back(std::make_unique<PipelinesOps>());
}

} // namespace aiflow
