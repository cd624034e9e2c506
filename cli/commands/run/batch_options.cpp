#include "cli/commands/run/batch_options.h"

#include "cli/session/run_options.h"

namespace aiflow {

void BatchOptions::declare(OptionSet& options)
{
    options.text("-p,--pipeline", m_pipeline, "NAME", {"a shipped one, or a file", "自带流程名或流程文件"});
    options.path("-o,--out", m_output, "DIR", {"output folder; ./out", "输出文件夹；默认 ./out"});
    options.flag("--strict", m_strict, {"refuse an input with bad rows", "有坏行时拒绝整个输入"});
    options.repeated("--map", m_map, "COL=HEADER", {"which header is which column", "指定列对应的表头"});
    options.repeated("--set", m_set, "NAME=VALUE", {"a parameter of the pipeline", "流程参数"});
    options.path("--input-root", m_inputRoot, "DIR", {"where relative paths of rows begin", "行内相对路径的起点"});
    options.text("--encoding", m_encoding, "NAME", {"default: detected", "默认自动识别"});
    options.text("--delimiter", m_delimiter, "CHAR", {"default: detected", "默认自动识别"});
}

Result<void> BatchOptions::apply(BatchRequest& request) const
{
    auto map = pairsOf("--map", m_map);
    if (!map) return tl::unexpected(map.error());
    auto set = pairsOf("--set", m_set);
    if (!set) return tl::unexpected(set.error());
    request.pipeline = m_pipeline;
    request.output = m_output;
    request.inputRoot = m_inputRoot;
    request.encoding = m_encoding;
    request.strict = m_strict;
    request.columnMap = std::move(*map);
    request.set = std::move(*set);
    if (!m_delimiter) return {};
    const std::string& word = *m_delimiter;
    if (word != "tab" && word != "\\t" && word.size() != 1)
        return fail(Reason::UsageInvalid, "--delimiter needs one character, or \"tab\"");
    request.delimiter = word.size() == 1 ? word.front() : '\t';
    return {};
}

} // namespace aiflow
