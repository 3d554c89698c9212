import FalconToolKit
import Testing

@testable import FalconStorage

/// The exit code of each way a run can end.
@Suite struct WALInspectExitTests {
    struct Case: CustomTestStringConvertible, Sendable {
        let arguments: [String]
        let exit: ToolExit
        var log: String? = "sound"
        var testDescription: String { "\(arguments) on \(log ?? "nothing")" }

        init(_ exit: ToolExit, _ arguments: String..., log: String? = "sound") {
            self.arguments = arguments
            self.exit = exit
            self.log = log
        }
    }

    static let matrix = [
        Case(.clean), Case(.clean, "--records"), Case(.clean, "--stats"), Case(.clean, "--data"),
        Case(.clean, "--extract", "2"), Case(.clean, "--format", "jsonl"),
        Case(.clean, "--limit", "0", "--records"), Case(.clean, "--quiet"),
        Case(.usage, "--limit", "-1"), Case(.usage, "--top", "-1"),
        Case(.usage, "--format", "xml"), Case(.usage, "--from-lsn", "z"),
        Case(.usage, "--since", "yesterday"), Case(.usage, "--type", "commits"),
        Case(.usage, "--op", "upsert"), Case(.usage, "--class", "table"),
        Case(.usage, "--key-prefix", "0g"), Case(.usage, "--key-prefix", "012"),
        Case(.usage, "--keys", "plain"), Case(.usage, "--extract", "2", "--stats"),
        Case(.usage, "--follow", "--stats"), Case(.usage, "--follow", "--format", "json"),
        Case(.usage, "--stats", "--format", "csv"), Case(.usage, "--poll-ms", "0"),
        Case(.usage, "--out", "/db/report.txt"), Case(.usage, "--out", "/db/wal/report.txt"),
        Case(.usage, "--out", "/there/already"), Case(.usage, "--no-such-option"),
        Case(.io, "--out", "/no/such/folder"),
        Case(.corruption, log: "damaged"), Case(.corruption, "--extract", "5", log: "damaged"),
        Case(.corruption, "--stats", "--format", "json", log: "damaged"),
        Case(.benign, log: "torn"), Case(.benign, "--records", log: "torn"),
        Case(.unreachable, "--extract", "4711"), Case(.unreachable, "--extract", "0"),
        Case(.io, log: nil), Case(.usage, log: "empty"), Case(.usage, log: "file"),
    ]

    @Test(arguments: matrix)
    func theExitCodeIsAsAgreed(_ wanted: Case) throws {
        let log = try LogScenarios.plain()
        try log.fileSystem.createDirectory("/there")
        _ = try log.fileSystem.open("/there/already", .create)
        switch wanted.log {
        case "sound": try log.write()
        case "damaged":
            try log.write()
            try log.flip(1, chunk: 2, byte: 100)
        case "torn":
            try log.write()
            try log.cut(3) { $0.bytes.count - 9 }
        case "empty": break
        case "file":
            try log.fileSystem.removeDirectory("/db/wal")
            try log.fileSystem.removeDirectory("/db")
            _ = try log.fileSystem.open("/db", .create)
        default:
            try log.fileSystem.removeDirectory("/db/wal")
            try log.fileSystem.removeDirectory("/db")
        }
        let run = ToolRun(
            WALInspect.self, ["/db"] + wanted.arguments, environment: log.environment)
        #expect(run.exit == wanted.exit, "\(run.output) \(run.diagnostics)")
    }

    @Test func anUnreadableFileIsAnInputError() throws {
        let log = try LogScenarios.plain()
        try log.write()
        let faulty = FaultInjectingFileSystem(
            log.fileSystem,
            rule: FaultRule(.reading, pathContains: ".wal", index: 2, count: 1000, errno: 5))
        let run = ToolRun(
            WALInspect.self, ["/db"],
            environment: StorageEnvironment(fileSystem: faulty, clock: ManualClock()))
        #expect(run.exit == .io && run.output.contains("GEN004"), "\(run.output)")
    }

    @Test func anInterruptedRunIsPartial() throws {
        let log = try LogForge()
        for id in 0..<1500 {
            log.group(
                log.commit([
                    .init(key: [UInt8(id & 255)], value: [UInt8](repeating: 7, count: 1000))
                ]))
        }
        try log.write()
        let run = ToolRun(
            WALInspect.self, ["/db"], environment: log.environment, interruption: { true })
        #expect(run.exit == .interrupted && run.output.contains("GEN008"))
    }
}
