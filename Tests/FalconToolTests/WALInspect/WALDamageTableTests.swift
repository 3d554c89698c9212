import FalconToolKit
import Foundation
import Testing

@testable import FalconStorage

/// Each way to damage a log with what wal-inspect must say of it, and that recovery judges the same.
@Suite struct WALDamageTableTests {
    static let table =
        LogDamage.chunks + LogDamage.segments + LogDamage.records + LogDamage.tails

    private struct Report {
        let text: ToolRun
        let fields: [String: Any]
        let findings: [[String: Any]]
    }

    private func inspect(_ log: LogForge, hasKey: Bool = true) throws -> Report {
        let before = log.fileSystem.snapshotContents()
        let arguments = [log.root] + (hasKey ? log.keyArguments : [])
        let text = ToolRun(WALInspect.self, arguments, environment: log.environment)
        let json = ToolRun(
            WALInspect.self, arguments + ["--format", "json"], environment: log.environment)
        #expect(log.fileSystem.snapshotContents() == before)
        #expect(text.exit == json.exit)
        let fields = try #require(
            JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any])
        return Report(
            text: text, fields: fields,
            findings: fields["findings"] as? [[String: Any]] ?? [])
    }

    /// Of a plain log, and of an encrypted one read with its key: the same code, count, exit code and verdict.
    @Test(arguments: table, [false, true])
    func theDamageIsNamed(_ damage: LogDamage, isEncrypted: Bool) throws {
        let log = try LogForge.$isEncrypted.withValue(isEncrypted) { try damage.log() }
        try log.write(rest: damage.rest)
        try damage.mutilate(log)
        let report = try inspect(log)
        let codes = report.findings.compactMap { $0["code"] as? String }
        #expect(report.text.exit == damage.exit, "\(report.text.output)")
        if let code = damage.code {
            #expect(
                codes.filter { $0 == code }.count == damage.count, "\(report.text.output)")
        } else {
            #expect(codes.isEmpty, "\(report.text.output)")
        }
        for said in damage.says {
            // Encryption is a feature itself.
            let text =
                isEncrypted
                ? said.replacingOccurrences(of: "features 4", with: "features 5") : said
            #expect(report.text.output.contains(text), "'\(text)' in \(report.text.output)")
        }
        try expectExplained(report.findings)
        try expectAgreement(damage, log, report)
    }

    /// Without the key chunks and segments are judged all the same, and records are not.
    @Test(arguments: LogDamage.chunks + LogDamage.segments)
    func theDamageOfAnEncryptedLogIsNamedWithoutItsKey(_ damage: LogDamage) throws {
        let log = try LogForge.$isEncrypted.withValue(true) { try damage.log() }
        try log.write(rest: damage.rest)
        try damage.mutilate(log)
        let report = try inspect(log, hasKey: false)
        #expect(report.text.exit == damage.exit, "\(report.text.output)")
        let codes = report.findings.compactMap { $0["code"] as? String }
        if let code = damage.code {
            #expect(codes.filter { $0 == code }.count == damage.count, "\(report.text.output)")
        }
        try expectExplained(report.findings)
    }

    /// Every finding says what to do, and `explain` says more.
    private func expectExplained(_ findings: [[String: Any]]) throws {
        for finding in findings {
            let code = try #require(finding["code"] as? String)
            #expect((finding["advice"] as? String)?.isEmpty == false, "\(code)")
            let explained = ToolRun(WALInspect.self, ["explain", code])
            #expect(explained.exit == .clean && explained.output.contains("What to do:"))
        }
    }

    /// What recovery's own code makes of it, to the LSN.
    private func expectAgreement(
        _ damage: LogDamage, _ log: LogForge, _ report: Report
    ) throws {
        let forecast = try RecoveryForecast(
            directory: log.root + "/wal", from: .zero, environment: log.keyedEnvironment())
        let refuses = forecast.refusal != nil
        #expect(report.fields["recovery"] as? String == (refuses ? "refuses" : "recovers"))
        #expect(
            refuses == ((damage.exit == .corruption && !damage.recovers) || damage.exit == .usage))
        if let end = forecast.end {
            #expect(report.fields["recovers_to_lsn"] as? String == end.description)
        }
        let verdict = report.fields["verdict"] as? String
        switch damage.exit {
        case .clean: #expect(verdict == "clean")
        case .benign: #expect(verdict == "torn-tail")
        default: #expect(verdict == "corruption")
        }
    }

    @Test func theTableIsLong() {
        // Each runs on a plain and on an encrypted log.
        #expect(Self.table.count * 2 >= 120)
        #expect(Set(Self.table.map(\.name)).count == Self.table.count)
    }

    /// A bit anywhere in what is vouched for is found, wherever it is, and proves itself.
    @Test func everyFlippedBitIsProven() throws {
        let base = try LogScenarios.plain(perSegment: 2)
        try base.write()
        let end = base.segments[0].bytes.count
        for place in stride(from: 0, to: end, by: 37) {
            let log = base.fileSystem.crashClone(.keepUnsynced)
            try LogFixture.patch(log, base.segments[0].path) { $0[place] ^= 1 << UInt8(place % 8) }
            let run = ToolRun(
                WALInspect.self, [base.root],
                environment: StorageEnvironment(fileSystem: log, clock: ManualClock()))
            let isSeal = place >= (base.segments[0].chunks.last?.offset ?? 0)
            #expect(run.exit == (isSeal ? .clean : .corruption), "byte \(place): \(run.output)")
            guard !isSeal, place > 8 else { continue }
            let names =
                run.output.contains("of the byte at offset \(place):")
                || run.output.contains("one bit of the stored checksum")
            #expect(names, "byte \(place): \(run.output)")
        }
    }
}
