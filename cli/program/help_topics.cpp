#include "aiflow/reason.h"
#include "aiflow/state.h"
#include "cli/program/help.h"

#include <array>

namespace aiflow {

namespace {

constexpr std::array<std::string_view, 6> kTopics{"exit-codes", "states", "reasons", "env", "files", "faults"};

constexpr Text kExitCodes{
    R"(Exit codes (new ones may be added: treat every unknown code as a failure):

    0  every item is done, reused, or skipped by a rule
    1  the job could not do its work
    2  wrong options, bad pipeline file, unreadable or unfitting input
    3  finished, but some items failed       systemd: SuccessExitStatus=3
    4  a key is missing or was refused
    5  stopped early: provider outage or quota; resume later
    6  stopped early: budget reached; raise it, then resume
    7  stopped early: --max-failures or --fail-fast; look, then resume
    9  nothing to do
   11  another process owns the job or its output folder
  130  interrupted (Ctrl-C); resume goes on    143  terminated; resume goes on

Example:
  aiflow-cli batch products.csv --quiet || test $? -eq 3
)",
    R"(退出码（以后可能增加；未知的非零值一律视为失败）：

    0  全部商品已完成、已复用或按规则跳过
    1  任务无法进行
    2  选项错误、流程文件无效、输入无法读取或不匹配
    3  已结束，但部分商品失败              systemd：SuccessExitStatus=3
    4  密钥缺失或被拒
    5  提前停止：服务商故障或额度用尽；稍后继续
    6  提前停止：达到预算上限；提高后继续
    7  提前停止：--max-failures 或 --fail-fast；查看后继续
    9  没有可做的事
   11  任务或输出文件夹被其他进程占用
  130  被中断（Ctrl-C），可继续              143  被终止，可继续

示例：
  aiflow-cli batch products.csv --quiet || test $? -eq 3
)"};

constexpr Text kEnvironment{
    R"(Environment (an option always wins):

  AIFLOW_PROGRESS              auto, tty, plain, json or none, as --progress
  CI                           when set, progress is plain lines
  XDG_STATE_HOME               jobs and results are kept in $XDG_STATE_HOME/aiflow
  LC_ALL LC_MESSAGES LANG      language (zh: Chinese) and character set
  NO_COLOR                     no colours
  CLICOLOR_FORCE FORCE_COLOR   colours even without a terminal
  TERM=dumb                    no colours, plain lines

Example:
  AIFLOW_PROGRESS=plain aiflow-cli batch products.csv
)",
    R"(环境变量（命令行选项优先）：

  AIFLOW_PROGRESS              auto、tty、plain、json、none，同 --progress
  CI                           已设置时进度为普通文本行
  XDG_STATE_HOME               任务与结果存放于 $XDG_STATE_HOME/aiflow
  LC_ALL LC_MESSAGES LANG      语言（zh 为中文）与字符集
  NO_COLOR                     不用颜色
  CLICOLOR_FORCE FORCE_COLOR   没有终端也用颜色
  TERM=dumb                    不用颜色，普通文本行

示例：
  AIFLOW_PROGRESS=plain aiflow-cli batch products.csv
)"};

constexpr Text kFiles{
    R"(Files:

  ./aiflow.yaml                        settings of this folder; aiflow-cli init
  ~/.config/aiflow/aiflow.yaml         settings of this user
  ~/.local/state/aiflow                jobs and results; --state-dir
  OUT/results.csv OUT/failures.csv     what came out, what failed and why
  OUT/...                              the result files themselves

Example:
  aiflow-cli config show --origin      which setting comes from where
)",
    R"(文件：

  ./aiflow.yaml                        本文件夹的设置；aiflow-cli init
  ~/.config/aiflow/aiflow.yaml         当前用户的设置
  ~/.local/state/aiflow                任务与结果；--state-dir
  OUT/results.csv OUT/failures.csv     成功的结果，失败的商品与原因
  OUT/...                              结果文件

示例：
  aiflow-cli config show --origin      每项设置的来源
)"};

constexpr Text kFaults{
    R"(Faults for a rehearsal: --fault [WHO:]KIND[=SHARE|=TIME][@START]

  outage     503, nothing is done; 2m long, from 30s on, unless said otherwise
  throttle   429 in every form that services use, with and without a time
  error      500 after the work was done and charged
  hang       charged, never answered
  reset      charged, and the connection breaks
  refuse     the content is refused
  misfit     the answer does not fit its schema
  cutoff     the answer ends at its limit
  lie        well-looking nonsense: HTML, half a JSON, an error inside a 200 ...
  quota      the balance is empty
  key        the key is refused

  WHO    a provider, or one account: openai, openai/second    default: all
  SHARE  of the calls that it may meet: 0.3 or 30%            default: all
  TIME   how long, START from when on, of rehearsed time      default: to the end

Examples:
  aiflow-cli rehearse products.csv --fault outage=2m --fault hang=0.01
  aiflow-cli rehearse products.csv --fault openai/second:quota@5m
)",
    R"(演练时可安排的故障：--fault [对象:]种类[=比例|=时长][@开始]

  outage     503，未处理；未指定时从 30s 起持续 2m
  throttle   429，各种形式，带或不带重试时间
  error      500，已处理并收费
  hang       已收费，但不应答
  reset      已收费，连接中断
  refuse     内容被拒
  misfit     回答不符合 Schema
  cutoff     回答在长度上限处中断
  lie        看似正常的错误回答：HTML、半截 JSON、200 中的错误等
  quota      余额用尽
  key        密钥被拒

  对象   服务商，或其一个账户：openai、openai/second     默认全部
  比例   受影响的调用：0.3 或 30%                        默认全部
  时长   持续多久；开始为从何时起（按演练时间）          默认直到结束

示例：
  aiflow-cli rehearse products.csv --fault outage=2m --fault hang=0.01
  aiflow-cli rehearse products.csv --fault openai/second:quota@5m
)"};

std::string statesTopic(Language language)
{
    const bool chinese = language == Language::Chinese;
    std::string text = chinese ? "商品与步骤的状态：\n\n" : "States of items and steps:\n\n";
    const auto line = [&](const StateInfo& state) {
        text += std::string("  ").append(state.glyph) + "  " + state.ascii + "  ";
        text += std::string(state.key) + std::string(14 - state.key.size(), ' ');
        text.append(chinese ? state.wordZh : state.wordEn) += "\n";
    };
    for (std::size_t i = 0; i < kTaskStateCount; ++i) line(info(static_cast<TaskState>(i)));
    text += chinese ? "\n任务的状态：\n\n" : "\nStates of jobs:\n\n";
    for (int i = 0; i <= static_cast<int>(JobState::Interrupted); ++i) line(info(static_cast<JobState>(i)));
    return text;
}

std::string reasonsTopic(Language language)
{
    const bool chinese = language == Language::Chinese;
    std::string text = chinese ? "原因代码（用于 retry --group）：\n\n" : "Reason codes (for retry --group):\n\n";
    for (const ReasonInfo& reason : allReasons()) {
        text += "  " + std::string(reason.code) + std::string(26 - reason.code.size(), ' ');
        text += chinese ? reason.headlineZh : reason.headlineEn;
        const std::string_view action = chinese ? reason.actionZh : reason.actionEn;
        if (!action.empty()) text.append(chinese ? "：" : ": ").append(action);
        text += "\n";
    }
    return text;
}

} // namespace

std::string helpTopic(std::string_view topic, Language language)
{
    if (topic == "exit-codes") return std::string(kExitCodes.in(language));
    if (topic == "env") return std::string(kEnvironment.in(language));
    if (topic == "files") return std::string(kFiles.in(language));
    if (topic == "faults") return std::string(kFaults.in(language));
    if (topic == "states") return statesTopic(language);
    if (topic == "reasons") return reasonsTopic(language);
    return {};
}

std::span<const std::string_view> helpTopics() noexcept { return kTopics; }

} // namespace aiflow
