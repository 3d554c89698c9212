import ArgumentParser
import FalconStorage

/// `falcon-bench calibrate`: what this machine can do at most.
public struct CalibrateCommand: ToolCommand {
    public static let configuration = CommandConfiguration(
        commandName: "calibrate", abstract: "Measures the machine's limits, one core at a time.",
        discussion: """
            Results of 'falcon-bench kv --calibration FILE' carry their ratio to the limit they are \
            bound by. Files are written in a directory of their own under --dir and removed.
            """,
        version: FalconVersion.current)

    @Option(help: "Where files are written: on the device that databases will be on.")
    var dir = "."
    @Option(help: "Milliseconds each limit is measured for.")
    var milliseconds = 300
    @Option(name: .customLong("memory_mib"), help: "MiB that loads and copies range over.")
    var memoryMiB = 256
    @Option(name: .customLong("syncs"), help: "fdatasync calls on each kind of file.")
    var syncs = 500
    @OptionGroup var export: BenchExportOptions
    @OptionGroup public var output: OutputOptions
    public init() {}

    public func validate() throws {
        try FlagLimit.check([
            FlagLimit("milliseconds", milliseconds, 1...60_000),
            FlagLimit("memory_mib", memoryMiB, 1...4096), FlagLimit("syncs", syncs, 1...1_000_000),
        ])
    }

    public func execute(_ report: ReportWriter) throws(StorageError) {
        let output = try BenchOutput(
            report, export, command: "calibrate", path: dir,
            flags: [
                ("dir", .string(dir)), ("milliseconds", .count(milliseconds)),
                ("memory_mib", .count(memoryMiB)), ("syncs", .count(syncs)),
            ])
        let calibrator = Calibrator(
            output.context, milliseconds: milliseconds, memoryBytes: memoryMiB << 20)
        var limits: [JSONValue] = []
        func say(_ limit: BenchLimit, _ value: Double) {
            output.write(
                BenchText.padded(limit.title, 52)
                    + BenchText.number(value, width: 12, decimals: 2) + " \(limit.unit)\n")
            limits.append(
                .object([
                    ("name", .string(limit.rawValue)), ("value", .double(value)),
                    ("unit", .string(limit.unit)),
                ]))
        }
        for (limit, value) in try calibrator.memory() { say(limit, value) }
        for (limit, value) in try calibrator.transforms() { say(limit, value) }
        for (limit, value) in try calibrator.files(in: dir, syncs: syncs) { say(limit, value) }
        for (limit, value) in calibrator.pacing() { say(limit, value) }
        output.set("limits", .array(limits))
        try output.finish()
    }
}
