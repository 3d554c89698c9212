import ArgumentParser

/// How much of a restore is done side by side; put it into a command as `@OptionGroup var parallel`.
struct JobOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Files and parts of them read, proved and written side by side, 1 to 1024; the number of cores "
                + "unless given. The log is replayed in order."))
    var jobs: Int?

    init() {}

    func validate() throws {
        if let jobs, !(1...1024).contains(jobs) {
            throw ValidationError("--jobs must be 1 to 1024.")
        }
    }

    var count: Int { jobs ?? ToolContext.processorCount }
}
