import FalconToolKit
import Testing

@testable import FalconStorage

/// Databases that were restored from a history, and go on.
extension EngineHistory {
    /// Restores the state of `commit` from the archive `source` into `path`, opens it, and makes `count` commits there
    /// whose log is archived to `target`; a base backup with the label `backup` in their midst, where one is named.
    @discardableResult func goOn(
        from commit: Commit, in path: String, _ name: String, count: Int = 12, key: [String] = [],
        source: String = repo, target: String = repo, backup: String? = nil
    ) throws -> [Commit] {
        let run = ToolRun(
            PITRRestore.self,
            [
                "apply", "--repo", source, "--to-lsn", commit.receipt.lsn.description, "--out",
                path,
            ] + key, environment: environment)
        try #require(run.exit == .clean, "\(run.output)\(run.diagnostics)")
        return try write(from: commit.rows, in: path, name, count, target, backup)
    }

    /// Opens the database at `path`, which holds `rows`, and makes commits as ``goOn(from:in:_:count:key:source:target:backup:)``.
    func write(
        from rows: [String: String], in path: String, _ name: String, _ count: Int,
        _ target: String, _ backup: String?
    ) throws -> [Commit] {
        clock.advance(micros: 1_000_000)
        var options = self.options
        options.archive?.directory = target
        let engine = try StorageEngine.open(at: path, options: options, environment: environment)
        defer { try? engine.close() }
        var made: [Commit] = []
        var rows = rows
        for number in 0..<count {
            let batch = WriteBatch()
            let (key, value) = ("\(name)\(number % 5)", "\(name) wrote \(number)")
            try put(key, value, into: batch)
            rows[key] = value
            clock.advance(micros: 1000)
            made.append(Commit(receipt: try engine.commitAndWait(batch), rows: rows))
            if number == count / 2 {
                if let backup { try engine.backup(label: backup) }
                _ = try engine.switchLogSegment()
            }
        }
        try engine.archiveNow()
        return made
    }

    /// Takes all base backups but one away; the log stays.
    func keepBackup(_ label: String) throws {
        for backup in try inventory.backups where backup.label != label {
            try fileSystem.removeTree(Self.repo + "/backups/" + backup.id)
        }
    }

    /// Restores the state as of `commit`, and expects it to be that, by so many commits that are replayed where that
    /// is told.
    func expectRestored(
        _ commit: Commit, _ more: [String] = [], replayed: Int? = nil,
        location: SourceLocation = #_sourceLocation
    ) throws {
        let run = ToolRun(
            PITRRestore.self,
            [
                "apply", "--repo", Self.repo, "--out", "/new", "--to-lsn",
                commit.receipt.lsn.description,
            ] + more, environment: environment)
        try #require(
            run.exit == .clean, "\(run.output)\(run.diagnostics)", sourceLocation: location)
        #expect(
            try takeRestored(options.encryption) == commit.rows, sourceLocation: location)
        if let replayed {
            #expect(
                run.output.contains("replay:        \(replayed) commits,"), "\(run.output)",
                sourceLocation: location)
        }
    }
}
