import ArgumentParser
import FalconStorage

/// `falcon-bench tpcb`: TPC-B through SQL.
public struct TPCBCommand: ToolCommand {
    public static let configuration = CommandConfiguration(
        commandName: "tpcb", abstract: "TPC-B through SQL, against a running server.",
        discussion: """
            Each client runs BEGIN, three updates, a select, an insert and COMMIT as prepared \
            statements, one round trip each, and tries again after a conflict. At the end the \
            balances of accounts, tellers and branches and the history must have one sum, and \
            history a row for each transaction; otherwise the exit code is 2.
            """,
        version: FalconVersion.current)

    @OptionGroup var bench: TPCBOptions
    @OptionGroup var export: BenchExportOptions
    @OptionGroup public var output: OutputOptions
    public init() {}

    public func execute(_ report: ReportWriter) throws(StorageError) {
        let output = try BenchOutput(
            report, export, command: "tpcb", path: nil, flags: bench.json)
        do throws(WireFailure) {
            if try !TPCBBench(bench, output).run() {
                report.add(
                    Finding(.benchSumsDiffer, "The sums of TPC-B's tables do not agree."))
            }
        } catch {
            throw error.storageError
        }
        try output.finish()
    }
}
