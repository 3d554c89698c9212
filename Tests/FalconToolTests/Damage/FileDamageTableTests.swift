import FalconToolKit
import Foundation
import Testing

@testable import FalconStorage

/// Each way to damage tables, blob files, MANIFEST and the files beside it, with what sst-verify must say of it, and
/// that a salvage invents nothing.
@Suite struct FileDamageTableTests {
    static let table =
        FileDamage.frames + FileDamage.tableFiles + FileDamage.blocks + FileDamage.partitions
        + FileDamage.contents + FileDamage.blobs + FileDamage.blobFiles + FileDamage.manifests
        + FileDamage.edits + FileDamage.small + FileDamage.keys

    private func damaged(_ damage: FileDamage, isEncrypted: Bool) throws -> DamagedDirectory {
        let directory = try DamagedDirectory(isEncrypted: isEncrypted)
        try damage.mutilate(directory)
        return directory
    }

    /// Of a plain directory, and of an encrypted one read with its key: the same code and exit code, and nothing
    /// that does not belong to it.
    @Test(arguments: table, [false, true])
    func theDamageIsNamed(_ damage: FileDamage, isEncrypted: Bool) throws {
        guard damage.applies(isEncrypted: isEncrypted) else { return }
        let report = try damaged(damage, isEncrypted: isEncrypted).verify()
        report.expect(damage.code, damage.exit, also: damage.also)
        report.expect(says: damage.says)
        try report.expectExplained(by: SSTVerify.self)
    }

    /// Without the key structure and checksums are judged all the same, and what is behind the key is not.
    @Test(arguments: table)
    func theDamageOfAnEncryptedDirectoryIsNamedWithoutItsKey(_ damage: FileDamage) throws {
        guard damage.applies(isEncrypted: true) else { return }
        let report = try damaged(damage, isEncrypted: true).verify(hasKey: false)
        let also = damage.also.union(["GEN012"])
        switch damage.withoutKey {
        case .same: report.expect(damage.code, damage.exit, also: also)
        case .nothing: report.expect("GEN012", .benign, also: [])
        case .this(let code, let exit): report.expect(code, exit, also: also)
        }
        try report.expectExplained(by: SSTVerify.self)
    }

    /// Of what is salvaged every row is as it last was, and each other row is among the losses that are told.
    @Test(arguments: table, [false, true])
    func aSalvageInventsNoRow(_ damage: FileDamage, isEncrypted: Bool) throws {
        guard damage.applies(isEncrypted: isEncrypted) else { return }
        let directory = try damaged(damage, isEncrypted: isEncrypted)
        switch damage.salvage {
        case .notAsked: return
        case .refused:
            let run = directory.salvage()
            #expect(run.exit != .clean && run.exit != .benign, "\(run.output)")
            #expect(try !directory.memory.exists("/saved"))
            #expect(run.output.contains("\"advice\":\"") && !run.output.contains("\"advice\":\"\""))
        case .rows:
            let run = directory.salvage()
            let losses = losses(run)
            #expect(
                run.exit == (losses.isEmpty ? .clean : .corruption),
                "\(run.output) \(run.diagnostics)")
            guard try directory.memory.exists("/saved") else {
                Issue.record("nothing was made: \(run.output)")
                return
            }
            let saved = try directory.saved()
            for (key, value) in saved where directory.source.rows[key] != value {
                Issue.record("\(key) was not so last, or was deleted")
            }
            for key in directory.source.rows.keys where saved[key] == nil {
                let isTold = losses.contains { $0.lower <= key && key < $0.upper }
                if !isTold { Issue.record("\(key) is missing and not told of: \(run.output)") }
            }
            if damage.code == nil { #expect(losses.isEmpty, "\(run.output)") }
            // The log's last rows are newer than all that can be lost with a table.
            #expect(saved.count >= 10)
        }
    }

    /// The ranges of keys that a salvage tells of, in hex.
    private func losses(_ run: ToolRun) -> [(lower: String, upper: String)] {
        run.lines.filter { $0.contains("\"SST107\"") }.map { line in
            guard let begin = line.range(of: "keys from "),
                let end = line[begin.upperBound...].firstIndex(of: ";")
            else { return ("", "") }
            let words = line[begin.upperBound..<end].split(separator: " ")
            return words.count == 3 ? (String(words[0]), String(words[2])) : ("", "")
        }
    }

    @Test func theTableIsLong() {
        // Most run on a plain and on an encrypted directory.
        #expect(Self.table.count >= 120)
        #expect(Set(Self.table.map(\.name)).count == Self.table.count)
        for code in [
            "SST001", "SST002", "SST003", "SST004", "SST005", "SST006", "SST007", "SST008",
        ]
            + ["SST009", "SST010", "SST011", "SST013", "SST014", "SST015", "SST101", "SST102"]
            + ["SST103", "SST104", "SST105", "SST106", "BLB001", "BLB002", "BLB003", "BLB004"]
            + ["BLB005", "BLB006", "BLB007", "BLB101", "GEN001", "GEN006", "GEN009", "GEN010"]
            + ["GEN011"]
        {
            #expect(Self.table.contains { $0.code == code }, "\(code)")
        }
    }
}
