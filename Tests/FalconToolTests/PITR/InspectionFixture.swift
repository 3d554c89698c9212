import FalconToolKit
import Testing

@testable import FalconStorage

/// Restores that are looked at.
extension EngineHistory {
    /// A closed history of so many commits, of which `/new` shows the state at commit `stop`.
    static func inspection(
        seed: UInt64, of count: Int, at stop: Int
    ) throws -> EngineHistory {
        let history = try EngineHistory(seed: seed)
        try history.run(count)
        try history.close()
        #expect(history.inspect(history.commits[stop], from: "/db").exit == .clean)
        return history
    }

    /// `pitr-restore … --inspect` of the commit into `/new`, from the directory or from the repository.
    func inspect(_ commit: Commit, from source: String, _ more: [String] = []) -> ToolRun {
        let place = source == Self.repo ? ["apply", "--repo", source] : [source]
        return ToolRun(
            PITRRestore.self,
            place + ["--to-lsn", commit.receipt.lsn.description, "--inspect", "--out", "/new"]
                + more,
            environment: environment)
    }

    func advance(_ arguments: String...) -> ToolRun {
        ToolRun(PITRRestore.self, ["advance", "/new"] + arguments, environment: environment)
    }

    func advance(to commit: Commit, _ more: [String] = []) -> ToolRun {
        ToolRun(
            PITRRestore.self,
            ["advance", "/new", "--to-lsn", commit.receipt.lsn.description] + more,
            environment: environment)
    }

    /// What the directory `/new` has, but for the file that is locked.
    func inspected() throws -> [String: [UInt8]] {
        try fingerprint("/new").filter { !$0.key.hasSuffix(".LOCK") }
    }

    /// Opens `/new` to write to it.
    func write(_ key: String, _ value: String) throws {
        var options = self.options
        options.archive = nil
        options.walRetainBytes = .max
        let engine = try StorageEngine.open(at: "/new", options: options, environment: environment)
        defer { try? engine.close() }
        let batch = WriteBatch()
        try put(key, value, into: batch)
        try engine.commitAndWait(batch)
    }
}
