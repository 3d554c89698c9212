import ArgumentParser

/// How a tool's data are written to standard output.
public enum OutputFormat: String, Sendable, CaseIterable, ExpressibleByArgument {
    /// For people.
    case text
    /// One object.
    case json
    /// One object a line.
    case jsonl
    case csv
}

/// The options every tool has; put them into a command as `@OptionGroup public var output`.
public struct OutputOptions: ParsableArguments {
    @Option(help: "Form of the output: text, json, jsonl or csv.")
    public var format: OutputFormat?

    @Flag(help: "No progress and no warnings on standard error.")
    public var quiet = false

    public init() {}
}
