// Every command of the program; main puts them together.
#pragma once

#include "cli/program/command.h"

#include <array>

namespace aiflow {

std::unique_ptr<Command> makeBatchCommand();
std::unique_ptr<Command> makeResumeCommand();
std::unique_ptr<Command> makeRetryCommand();
std::unique_ptr<Command> makeDemoCommand();
std::unique_ptr<Command> makeRehearseCommand();
std::unique_ptr<Command> makeStatusCommand();
std::unique_ptr<Command> makeListCommand();
std::unique_ptr<Command> makeAttachCommand();
std::unique_ptr<Command> makePauseCommand();
std::unique_ptr<Command> makeCancelCommand();
std::unique_ptr<Command> makeExportCommand();
std::unique_ptr<Command> makeInitCommand();
std::unique_ptr<Command> makeDoctorCommand();
void addPipelineCommands(CommandList& commands);
void addModelCommands(CommandList& commands);
void addProviderCommands(CommandList& commands);
void addConfigCommands(CommandList& commands);

inline constexpr std::array kCommandGroups{
    CommandGroup{
        "pipelines", {"The pipelines that are installed, and your own.", "已安装的流程与您自己的流程。"}, "list"},
    CommandGroup{"models", {"The neural networks that pipelines use here.", "流程在本机使用的神经网络模型。"}, "list"},
    CommandGroup{"providers",
                 {"The remote services that pipelines ask, their keys and prices.", "流程调用的远程服务、密钥与价格。"},
                 "list"},
    CommandGroup{"config", {"The settings in force, and examples to copy.", "生效的设置与可复制的示例。"}, "show"},
};

} // namespace aiflow
