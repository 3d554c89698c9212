import FalconToolKit
import Foundation
import Testing

@testable import FalconStorage

/// What wal-inspect prints, word for word: Fixtures/wal-inspect. With FALCON_REWRITE_GOLDEN=1 in the
/// environment the files are written anew; look at the difference before it is committed.
@Suite struct WALGoldenTests {
    struct Case: CustomTestStringConvertible, Sendable {
        let name: String
        let arguments: [String]
        var damage: @Sendable (LogForge) throws -> Void = { _ in }
        var testDescription: String { name }
    }

    static let views: [Case] = [
        Case(name: "summary", arguments: []),
        Case(name: "records", arguments: ["--records"]),
        Case(name: "operations", arguments: ["--operations"]),
        Case(name: "data", arguments: ["--data"]),
        Case(name: "forms", arguments: ["--keys", "text", "--values", "hash", "--limit", "3"]),
        Case(name: "hex", arguments: ["--keys", "hex", "--values", "hex", "--transaction", "2"]),
        Case(name: "statistics", arguments: ["--stats", "--top", "3"]),
        Case(
            name: "statistics-of-a-table",
            arguments: ["--stats", "--table", "accounts", "--data", "--limit", "0"]),
        Case(name: "table", arguments: ["--operations", "--table", "public.jour*"]),
        Case(name: "operation", arguments: ["--data", "--op", "update", "--op", "delete"]),
        Case(
            name: "key-prefix",
            arguments: ["--operations", "--key-prefix", "00000005000003ea"]),
        Case(name: "class", arguments: ["--operations", "--class", "index"]),
        Case(
            name: "types", arguments: ["--records", "--type", "restore-point", "--type", "COMMIT"]),
        Case(
            name: "times",
            arguments: [
                "--records", "--since", "2026-01-01T00:00:03Z", "--until", "2026-01-01T00:00:05Z",
            ]),
        Case(name: "extract", arguments: ["--extract", "5"]),
        Case(name: "extract-data", arguments: ["--extract", "3", "--data"]),
        Case(name: "extract-absent", arguments: ["--extract", "99"]),
        Case(
            name: "torn", arguments: [],
            damage: { log in
                try mutate(log, segment: 3) { bytes, segment in
                    bytes.removeLast(30)
                    _ = segment
                }
            }),
        Case(
            name: "bit-rot", arguments: [],
            damage: { log in
                try mutate(log, segment: 1) { bytes, segment in
                    bytes[segment.chunks[2].offset + 90] ^= 0x10
                }
            }),
        Case(
            name: "hole", arguments: [],
            damage: { log in try log.fileSystem.remove(log.segments[1].path) }),
    ]

    private static let key = ["--key-file", LogForge.keyFile]
    /// Of the same log, encrypted.
    static let encryptedViews: [Case] = [
        Case(name: "encrypted", arguments: key),
        Case(name: "encrypted-data", arguments: ["--data"] + key),
        Case(name: "encrypted-without-key", arguments: []),
        Case(name: "encrypted-records-without-key", arguments: ["--records"]),
        Case(name: "encrypted-wrong-key", arguments: ["--key-file", LogForge.wrongKeyFile]),
        Case(
            name: "encrypted-bit-rot-without-key", arguments: [],
            damage: { log in
                try mutate(log, segment: 1) { bytes, segment in
                    bytes[segment.chunks[2].offset + 90] ^= 0x10
                }
            }),
    ]

    static let cases =
        views.flatMap { view in
            [("text", "txt"), ("json", "json")].map { (view, $0.0, $0.1) }
        } + [(views[1], "jsonl", "jsonl"), (views[3], "csv", "csv")]

    @Test(arguments: cases)
    func theOutputIsAsAgreed(_ view: Case, _ format: String, _ ending: String) throws {
        try compare(view, format, ending, try LogScenarios.shop())
    }

    @Test(arguments: encryptedViews, [("text", "txt"), ("json", "json")])
    func theOutputOfAnEncryptedLogIsAsAgreed(
        _ view: Case, _ form: (format: String, ending: String)
    ) throws {
        let log = try LogForge.$isEncrypted.withValue(true) { try LogScenarios.shop() }
        try compare(view, form.format, form.ending, log)
    }

    private func compare(
        _ view: Case, _ format: String, _ ending: String, _ log: LogForge
    ) throws {
        try log.write()
        try view.damage(log)
        let before = log.fileSystem.snapshotContents()
        let run = ToolRun(
            WALInspect.self, [log.root, "--format", format] + view.arguments,
            environment: log.environment)
        #expect(log.fileSystem.snapshotContents() == before)
        let command = ([log.root, "--format", format] + view.arguments).joined(separator: " ")
        // The version is not part of the agreement, nor the id of the registry's key, which is random.
        var output = run.output.replacingOccurrences(
            of: "\"version\":\"\(FalconVersion.current)\"", with: "\"version\":\"…\"")
        if let wrapping = log.wrapping {
            output = output.replacingOccurrences(of: String(wrapping.id), with: "KEY")
        }
        let text =
            "# wal-inspect \(command)\n" + output
            + (run.diagnostics.isEmpty ? "" : "# standard error\n" + run.diagnostics)
            + "# exit \(run.exit.rawValue)\n"
        let path = Self.folder + "/\(view.name).\(ending)"
        if ProcessInfo.processInfo.environment["FALCON_REWRITE_GOLDEN"] == "1" {
            try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        }
        let golden = String(
            decoding: try Data(contentsOf: URL(fileURLWithPath: path)), as: UTF8.self)
        #expect(text == golden, "\(path)")
    }

    private static func mutate(
        _ log: LogForge, segment: Int, _ body: (inout [UInt8], LogForge.Segment) -> Void
    ) throws {
        let found = log.segments[segment - 1]
        try LogFixture.patch(log.fileSystem, found.path) { body(&$0, found) }
    }

    private static var folder: String {
        let here = #filePath.split(separator: "/").dropLast(4).joined(separator: "/")
        return "/" + here + "/Fixtures/wal-inspect"
    }
}
