#include "cli/program/common_options.h"

namespace aiflow {

void declareCommon(OptionSet& options, CommonOptions& common)
{
    options.flag("-q,--quiet", common.quiet, {"say nothing when all went well", "全部成功时不输出"});
    options.counted("-v,--verbose", common.verbose, {"log more; -vv logs everything", "更详细的日志；-vv 为全部"});
    options.text("--lang", common.language, "en|zh",
                 {"language; default: from LC_ALL, LC_MESSAGES, LANG", "语言；默认取自 LC_ALL、LC_MESSAGES、LANG"});
    options.choice("--color", common.color, "auto|always|never", {"colours", "颜色"});
    options.flag("--ascii", common.ascii, {"plain ASCII signs only", "只用 ASCII 符号"});
    options.flag("--yes", common.yes, {"answer every question with yes", "所有询问都回答“是”"});
    options.flag("--no-input", common.noInput, {"never ask; a missing answer is an error", "从不询问；缺少回答即出错"});
    options.path("--state-dir", common.stateDirectory, "DIR",
                 {"where jobs and results are kept", "任务与结果的存放目录"});
    options.path("--config", common.configFile, "FILE", {"instead of ./aiflow.yaml", "代替 ./aiflow.yaml"});
    options.path("--log-file", common.logFile, "FILE", {"also write the log there", "日志另存到此文件"});
    options.choice("--log-format", common.logFormat, "text|json", {"of the log", "日志格式"});
}

Surroundings surroundingsOf(const CommonOptions& common)
{
    Surroundings surroundings;
    surroundings.stateDirectory = common.stateDirectory;
    surroundings.configFile = common.configFile;
    surroundings.logFile = common.logFile;
    surroundings.logAsJson = common.logFormat == "json";
    if (common.verbose > 1)
        surroundings.detail = LogDetail::Everything;
    else if (common.verbose == 1)
        surroundings.detail = LogDetail::Verbose;
    else if (common.quiet)
        surroundings.detail = LogDetail::Quiet;
    return surroundings;
}

} // namespace aiflow
