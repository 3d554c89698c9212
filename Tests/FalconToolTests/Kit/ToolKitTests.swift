import ArgumentParser
import FalconStorage
import Foundation
import Testing

@testable import FalconToolKit

/// A tool whose findings and records are its arguments.
private struct ProbeTool: ToolCommand {
    static let configuration = toolConfiguration("probe", abstract: "Says what it is told.")
    static let csvColumns = ["name", "size"]
    @Option var severity: [String] = []
    @Option var error: String?
    @Option var records = 0
    @Option(transform: ToolArgument.lsn) var at: LSN?
    @OptionGroup var output: OutputOptions

    func execute(_ report: ReportWriter) throws(StorageError) {
        let progress = ToolProgress("probing", report)
        progress.update(1, of: 2, unit: "things")
        progress.end()
        for index in 0..<records {
            report.record(
                [("name", .string("a,\"\(index)\"")), ("size", .count(index))],
                text: "record \(index)")
        }
        for name in severity {
            let severity = try severity(named: name)
            let kind = FindingKind(
                "PRB001", severity, "probe", explanation: "probe", advice: "none")
            report.add(
                Finding(
                    kind, "said \(name)", file: "x", offset: 7, expected: "1", actual: "2",
                    blastRadius: "all"))
        }
        report.set("total", .count(records))
        report.line("done")
        if let error {
            throw StorageError(StorageErrorCode(error), kind: .user, "ended by \(error)")
        }
    }

    private func severity(named name: String) throws(StorageError) -> Finding.Severity {
        guard let severity = Finding.Severity(rawValue: name) else {
            throw .invalidArgument("no severity \(name)")
        }
        return severity
    }
}

private struct PlainProbe: ToolCommand {
    static let configuration = toolConfiguration("plain", abstract: "Has no records.")
    @OptionGroup var output: OutputOptions
    func execute(_ report: ReportWriter) throws(StorageError) {
        report.add(Finding(.unreadable, "cannot, \"ever\"", file: "f"))
    }
}

struct ToolKitTests {
    private func json(_ text: String) throws -> [String: Any] {
        try #require(
            JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any], "\(text)")
    }

    static let exits: [([String], Int32)] = [
        (["--severity", "info"], 0), (["--severity", "warning"], 3),
        (["--severity", "corruption"], 2), (["--severity", "io"], 4),
        (["--severity", "in-use"], 5), (["--severity", "key-missing"], 6),
        (["--severity", "unreachable"], 7), (["--severity", "interrupted"], 8),
        (["--severity", "warning", "--severity", "corruption", "--severity", "info"], 2),
        (["--severity", "warning", "--severity", "io"], 4),
        (["--severity", "warning", "--error", "corruption"], 2),
        (["--severity", "corruption", "--error", "io"], 2),
        (["--error", "invalid-argument"], 1), (["--error", "unsupported-format"], 1),
        (["--error", "in-use"], 5), (["--error", "target-unreachable"], 7),
        (["--error", "cancelled"], 8), (["--error", "not-found"], 4), ([], 0),
    ]

    @Test(arguments: exits)
    func theWorstFindingDecidesTheExitCode(_ arguments: [String], _ code: Int32) {
        for format in OutputFormat.allCases {
            let run = ToolRun(ProbeTool.self, arguments + ["--format", format.rawValue])
            #expect(run.exit.rawValue == code, "\(format)")
        }
    }

    @Test(arguments: [["--no-such"], ["--at", "zebra"], ["surplus"], ["--format", "xml"]])
    func usageErrorsExitOneAndKeepStandardOutputEmpty(_ arguments: [String]) {
        let run = ToolRun(ProbeTool.self, arguments)
        #expect(run.exit == .usage)
        #expect(run.output.isEmpty)
        #expect(run.diagnostics.contains("Error"))
    }

    @Test func helpAndVersionAreCleanAndGoToStandardOutput() {
        let help = ToolRun(ProbeTool.self, ["--help"])
        #expect(help.exit == .clean && help.output.contains("Exit codes"))
        let version = ToolRun(ProbeTool.self, ["--version"])
        #expect(version.exit == .clean && version.output.contains(FalconVersion.current))
    }

    @Test func everyFindingKindCanBeExplained() {
        let list = ToolRun(ProbeTool.self, ["explain"])
        #expect(list.exit == .clean)
        for kind in FindingCatalogue.all {
            #expect(list.output.contains(kind.code))
            let run = ToolRun(ProbeTool.self, ["explain", kind.code.lowercased()])
            #expect(run.exit == .clean && run.output.contains(kind.title))
            #expect(run.output.contains(kind.advice))
        }
        #expect(Set(FindingCatalogue.all.map(\.code)).count == FindingCatalogue.all.count)
        #expect(ToolRun(ProbeTool.self, ["--explain", "NOPE"]).exit == .usage)
    }

    @Test func jsonIsOneObjectWithItsSchemaVersion() throws {
        let run = ToolRun(
            ProbeTool.self, ["--format", "json", "--records", "2", "--severity", "warning"])
        let report = try json(run.output)
        #expect(report["schema_version"] as? Int == 1)
        #expect(report["tool"] as? String == "probe")
        #expect((report["records"] as? [Any])?.count == 2)
        #expect(report["total"] as? Int == 2)
        #expect(report["exit_code"] as? Int == 3)
        let finding = try #require((report["findings"] as? [[String: Any]])?.first)
        #expect(finding["code"] as? String == "PRB001")
        #expect(finding["severity"] as? String == "warning")
        #expect(finding["file"] as? String == "x" && finding["offset"] as? Int == 7)
        #expect(finding["blast_radius"] as? String == "all")
        let empty = try json(ToolRun(ProbeTool.self, ["--format", "json"]).output)
        #expect((empty["findings"] as? [Any])?.isEmpty == true && empty["records"] == nil)
    }

    @Test func jsonlSaysOfEachLineWhatItIs() throws {
        let run = ToolRun(
            ProbeTool.self, ["--format", "jsonl", "--records", "1", "--severity", "warning"])
        let types = try run.lines.map { try json($0)["type"] as? String }
        #expect(types == ["header", "record", "finding", "summary"])
    }

    @Test func csvQuotesAndSendsFindingsOfARecordToolToStandardError() {
        let run = ToolRun(
            ProbeTool.self, ["--format", "csv", "--records", "1", "--severity", "warning"])
        #expect(run.lines == ["schema_version,name,size", "1,\"a,\"\"0\"\"\",0"])
        #expect(run.diagnostics.contains("PRB001"))
        #expect(run.diagnostics.hasSuffix("\n") && !run.diagnostics.contains("\n\n"))
        let plain = ToolRun(PlainProbe.self, ["--format", "csv"])
        #expect(plain.lines.count == 2)
        #expect(plain.lines.last?.hasPrefix("1,GEN004,io,f,,,\"cannot, \"\"ever\"\"\"") == true)
    }

    @Test func progressShowsOnATerminalOnly() {
        #expect(ToolRun(ProbeTool.self, []).diagnostics.isEmpty)
        #expect(ToolRun(ProbeTool.self, [], terminal: true).diagnostics.contains("1 of 2"))
        #expect(ToolRun(ProbeTool.self, ["--quiet"], terminal: true).diagnostics.isEmpty)
    }

    @Test func aClosedPipeIsNotAnError() {
        let run = ToolRun(ProbeTool.self, ["--records", "1000"], readerLeavesAfter: 40)
        #expect(run.exit == .clean && run.diagnostics.isEmpty && run.output.utf8.count == 40)
    }

    @Test func anInterruptedRunSaysSo() {
        let run = ToolRun(ProbeTool.self, [], interruption: { true })
        #expect(run.exit == .interrupted)
    }

    @Test func jsonStringsEscapeWhatTheyMust() throws {
        let text = "a\"\\\n\t\u{1}\u{7F}é🦅"
        let bytes = Data(JSONValue.array([.string(text)]).encoded.utf8)
        #expect(try JSONSerialization.jsonObject(with: bytes) as? [String] == [text])
        #expect(JSONValue.double(.nan).encoded == "\"NaN\"")
    }

    static let times: [(String, String)] = [
        ("2026-01-31T23:59:59.5Z", "2026-01-31T23:59:59.500000Z"),
        ("2026-01-31 23:59:59", "2026-01-31T23:59:59.000000Z"),
        ("2026-01-31", "2026-01-31T00:00:00.000000Z"),
        ("2024-02-29T12:00+02:00", "2024-02-29T10:00:00.000000Z"),
        ("2024-02-29 12:00:01.000001 -0130", "2024-02-29T13:30:01.000001Z"),
        ("2000-12-31T23:00:00-01", "2001-01-01T00:00:00.000000Z"),
        ("1970-01-01T00:00Z", "1970-01-01T00:00:00.000000Z"),
    ]

    @Test(arguments: times)
    func timesAreReadAndWritten(_ text: String, _ expected: String) throws {
        let micros = try #require(ToolTime.parse(text))
        #expect(ToolTime.format(micros) == expected)
        #expect(ToolTime.parse(expected) == micros)
    }

    @Test(arguments: [
        "", "yesterday", "2026-13-01", "2026-02-29", "2026-01-01T25:00", "2026-01-01T10", "26-1-1",
        "2026-01-01T10:00:00.", "2026-01-01T10:00:00.1234567", "2026-01-01T10:00+2", "1969-12-31",
        "2026-01-01T10:00 CET",
    ])
    func whatIsNotATimeIsRefused(_ text: String) { #expect(ToolTime.parse(text) == nil) }

    @Test func everyDayOfFourCenturiesGoesThereAndBack() {
        var day: UInt64 = 0
        while day < 146_097 {
            let micros = day * 86_400_000_000 + 1
            #expect(ToolTime.parse(ToolTime.format(micros)) == micros)
            day += 61
        }
    }
}
