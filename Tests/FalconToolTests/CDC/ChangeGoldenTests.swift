import FalconChanges
import FalconSchema
import FalconToolKit
import Foundation
import Testing

@testable import FalconStorage

/// What cdc-tail prints in each dialect, word for word: Fixtures/cdc-tail. With FALCON_REWRITE_GOLDEN=1 in
/// the environment the files are written anew; look at the difference before it is committed.
@Suite struct ChangeGoldenTests {
    struct Case: CustomTestStringConvertible, Sendable {
        let name: String
        let arguments: [String]
        var testDescription: String { name }
    }

    static let cases: [Case] = [
        Case(name: "falcon", arguments: []),
        Case(name: "falcon-strings", arguments: ["--numbers-as-strings", "--op", "insert"]),
        Case(name: "falcon-json", arguments: ["--format", "json", "--table", "t"]),
        Case(name: "text", arguments: ["--format", "text"]),
        Case(name: "csv", arguments: ["--format", "csv"]),
        Case(name: "debezium", arguments: ["--dialect", "debezium"]),
        Case(
            name: "debezium-keys",
            arguments: ["--dialect", "debezium", "--debezium-keys", "--debezium-tombstones"]),
        Case(name: "wal2json-v2", arguments: ["--dialect", "wal2json-v2"]),
        Case(
            name: "wal2json-v2-strings",
            arguments: [
                "--dialect", "wal2json-v2", "--numbers-as-strings", "--table", "kinds",
                "--rows-only",
            ]),
        Case(name: "cloudevents", arguments: ["--dialect", "cloudevents"]),
        Case(name: "column", arguments: ["--table", "t", "--column", "n*", "--column", "flag"]),
        Case(name: "key-range", arguments: ["--table", "t", "--key-from", "2", "--key-to", "5"]),
    ]

    @Test(arguments: cases)
    func printsWordForWord(_ one: Case) throws {
        let log = try ChangeHistory.sample()
        let before = try log.fingerprint()
        let run = ToolRun(CDCTail.self, [log.root] + one.arguments, environment: log.environment)
        #expect(try log.fingerprint() == before)
        let text =
            run.output.replacingOccurrences(of: FalconVersion.current, with: "VERSION")
            + "-- exit \(run.exit.rawValue)\n"
            + run.diagnostics.replacingOccurrences(of: FalconVersion.current, with: "VERSION")
        let path = Self.folder + "/" + one.name + ".txt"
        if ProcessInfo.processInfo.environment["FALCON_REWRITE_GOLDEN"] == "1" {
            try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        }
        let golden = String(
            decoding: try Data(contentsOf: URL(fileURLWithPath: path)), as: UTF8.self)
        #expect(text == golden, "\(path)")
    }

    /// Every line of a JSON dialect is JSON, and no object names a field twice.
    @Test(arguments: DialectName.allCases)
    func linesAreJSON(_ dialect: DialectName) throws {
        let log = try ChangeHistory.sample()
        let run = ToolRun(
            CDCTail.self, [log.root, "--dialect", dialect.rawValue], environment: log.environment)
        #expect(run.lines.count > 15)
        for line in run.lines {
            _ = try #require(
                JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any], "\(line)")
        }
    }

    private static var folder: String {
        let here = #filePath.split(separator: "/").dropLast(4).joined(separator: "/")
        return "/" + here + "/Fixtures/cdc-tail"
    }
}
