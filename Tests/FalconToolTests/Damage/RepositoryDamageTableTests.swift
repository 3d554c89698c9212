import FalconToolKit
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
        report.expect(damage.code, damage.exit, also: damage.also)
        report.expect(says: damage.says)
        try report.expectExplained(by: PITRRestore.self)
    }

    /// Without which the next test may find nothing restored.
    @Test(arguments: [false, true])
    func whatIsNotDamagedIsRestored(isEncrypted: Bool) throws {
        let repository = try DamagedRepository(isEncrypted: isEncrypted)
        let run = repository.apply()
        #expect(run.exit == .clean, "\(run.output)")
        #expect(try repository.restored() == repository.exemplar.states.last)
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
