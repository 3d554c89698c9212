import ArgumentParser
import FalconStorage

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Runs a ``ToolCommand`` from its arguments to its exit code.
public enum ToolRunner {
    /// The whole of a tool's `main.swift`.
    public static func main<Tool: ToolCommand>(_ tool: Tool.Type) -> Never {
        let context = ToolContext.process()
        exit(run(tool, Array(CommandLine.arguments.dropFirst()), context).rawValue)
    }

    /// Runs the tool on `arguments` (its own name left out).
    public static func run<Tool: ToolCommand>(
        _ tool: Tool.Type, _ arguments: [String], _ context: ToolContext
    ) -> ToolExit {
        defer {
            context.standardOutput.flush()
            context.standardError.flush()
        }
        if let code = explanation(arguments) { return explain(code, context) }
        if let first = arguments.first,
            let subcommand = tool.subcommands.first(where: { $0.0 == first })?.1
        {
            return run(subcommand, Array(arguments.dropFirst()), context)
        }
        let command: Tool
        do {
            guard let parsed = try tool.parseAsRoot(arguments) as? Tool else {
                // Help and completion requests come back as a command of ArgumentParser's own.
                throw CleanExit.helpRequest(tool)
            }
            command = parsed
        } catch {
            let text = tool.fullMessage(for: error)
            if tool.exitCode(for: error) == .success {
                context.standardOutput.write(text + "\n")
                return .clean
            }
            context.diagnose(text)
            return .usage
        }
        return perform(command, named: Tool.toolName, context)
    }

    /// Runs a program whose commands are ArgumentParser's subcommands.
    static func run(
        family: (some ParsableCommand).Type, named name: String, _ arguments: [String],
        _ context: ToolContext
    ) -> ToolExit {
        defer {
            context.standardOutput.flush()
            context.standardError.flush()
        }
        if let code = explanation(arguments) { return explain(code, context) }
        do {
            var command = try family.parseAsRoot(arguments)
            if let command = command as? any ToolCommand {
                return perform(command, named: name, context)
            }
            // A family without a command, or ArgumentParser's own help: running them asks for the right help.
            try command.run()
            return .clean
        } catch {
            let text = family.fullMessage(for: error)
            if family.exitCode(for: error) == .success {
                context.standardOutput.write(text + "\n")
                return .clean
            }
            context.diagnose(text)
            return .usage
        }
    }

    private static func perform<Tool: ToolCommand>(
        _ command: Tool, named name: String, _ context: ToolContext
    ) -> ToolExit {
        let report = ReportWriter(
            format: command.output.format ?? Tool.defaultFormat, tool: name,
            context: context, isEventStream: Tool.isEventStream, isQuiet: command.output.quiet,
            csvColumns: command.columns)
        if let run = command.runOptions {
            report.progressStyle = ToolProgress.Style(
                format: run.progressFormat, seconds: run.progress)
        }
        do throws(StorageError) {
            try command.execute(report)
            if context.isInterrupted, !Tool.isEventStream, !command.isEndless {
                report.add(Finding(.interrupted, "Interrupted; the result is partial."))
            }
        } catch {
            report.add(error)
        }
        let exit = report.finish()
        guard let file = context.standardOutput as? FileStream, let error = file.end() else {
            return exit
        }
        context.diagnose(Finding(error).text)
        return exit.worse(error.code.toolExit)
    }

    /// The code that `explain CODE` or `--explain CODE` asks for; "" for the whole list.
    private static func explanation(_ arguments: [String]) -> String? {
        guard let first = arguments.first else { return nil }
        if first.hasPrefix("--explain=") { return String(first.dropFirst(10)) }
        guard first == "explain" || first == "--explain", arguments.count <= 2 else { return nil }
        return arguments.count == 2 ? arguments[1] : ""
    }

    private static func explain(_ code: String, _ context: ToolContext) -> ToolExit {
        if code.isEmpty {
            for kind in FindingCatalogue.all {
                let line = "\(kind.code)  \(kind.severity.rawValue)  \(kind.title)\n"
                context.standardOutput.write(line)
            }
            return .clean
        }
        guard let kind = FindingCatalogue.kind(code) else {
            context.diagnose("There is no finding '\(code)'; 'explain' without a code lists them.")
            return .usage
        }
        context.standardOutput.write(
            """
            \(kind.code): \(kind.title)
            severity: \(kind.severity.rawValue) (exit code \(kind.severity.exit.rawValue))

            \(kind.explanation)

            What to do: \(kind.advice)

            """)
        return .clean
    }
}
