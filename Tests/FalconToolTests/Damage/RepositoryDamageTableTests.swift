import FalconToolKit
import Foundation
import Testing

@testable import FalconStorage

/// Each way to damage a repository with what `pitr-restore verify` must say of it; and what is restored from it is a
/// state that there was, or nothing.
@Suite struct RepositoryDamageTableTests {
    static let table =
        RepositoryDamage.segments + RepositoryDamage.backups + RepositoryDamage.whole

    private func damaged(
        _ damage: RepositoryDamage, isEncrypted: Bool
    ) throws -> DamagedRepository {
        let repository = try DamagedRepository(isEncrypted: isEncrypted)
        try damage.mutilate(repository)
        return repository
    }

    /// No key is needed: of a plain and of an encrypted repository the same is said.
    @Test(arguments: table, [false, true])
    func theDamageIsNamed(_ damage: RepositoryDamage, isEncrypted: Bool) throws {
        guard damage.applies(isEncrypted: isEncrypted) else { return }
        let report = try damaged(damage, isEncrypted: isEncrypted).verify()
        let output = report.text.output
        #expect(report.text.exit == damage.exit, "\(output) \(report.text.diagnostics)")
        if let code = damage.code { #expect(report.codes.contains(code), "\(output)") }
        let others = Set(report.codes).subtracting([damage.code ?? ""]).subtracting(damage.also)
        #expect(others.isEmpty, "\(others.sorted()) in \(output)")
        for said in damage.says { #expect(output.contains(said), "'\(said)' in \(output)") }
        for finding in report.findings {
            let code = try #require(finding["code"] as? String)
            #expect((finding["advice"] as? String)?.isEmpty == false, "\(code)")
            let explained = ToolRun(PITRRestore.self, ["explain", code])
            #expect(explained.exit == .clean && explained.output.contains("What to do:"))
        }
    }

    @Test(arguments: table, [false, true])
    func aRestoreIsAStateThatThereWas(_ damage: RepositoryDamage, isEncrypted: Bool) throws {
        guard damage.applies(isEncrypted: isEncrypted) else { return }
        let repository = try damaged(damage, isEncrypted: isEncrypted)
        let run = repository.apply()
        guard run.exit == .clean || run.exit == .benign else {
            #expect(try !repository.memory.exists("/new"), "\(run.output)")
            #expect(try !repository.memory.exists("/new.partial"), "\(run.output)")
            return
        }
        let rows = try repository.restored()
        #expect(repository.exemplar.states.contains(rows), "\(run.output)")
    }

    @Test func theTableIsLong() {
        #expect(Self.table.count >= 60)
        #expect(Set(Self.table.map(\.name)).count == Self.table.count)
    }
}
