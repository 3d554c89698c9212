import Testing

@testable import FalconStorage

/// Logs that lack a segment which MANIFEST or another segment vouches for.
@Suite struct MissingSegmentTests {
    private var options: EngineOptions {
        var options = EngineOptions.small
        options.walRetainBytes = .max
        options.closedTimestampMicros = 0
        return options
    }

    private func fill(_ fixture: EngineFixture, _ rows: Range<Int>) throws {
        for row in rows { try fixture.put("k\(row)", String(repeating: "v", count: 500)) }
    }

    /// What is left of an engine of several segments that was killed.
    private func killed(flushes: Bool) throws -> MemoryFileSystem {
        var options = options
        if !flushes { options.memtableBytes = 8 << 20 }
        let fixture = try EngineFixture(options: options)
        // Enough for three segments that grow to twice their size while the spare is not there yet.
        try fill(fixture, 0..<1200)
        if flushes { try fixture.engine.flush() }
        try fill(fixture, 1200..<1210)
        return fixture.fileSystem.crashClone(.keepUnsynced)
    }

    private func segments(_ fileSystem: MemoryFileSystem) throws -> [String] {
        try fileSystem.list("/db/wal").filter { $0.hasSuffix(".wal") }.sorted()
            .map { "/db/wal/" + $0 }
    }

    /// The error of opening; nil when it opens. Nothing may have changed when it does not.
    private func refusal(
        _ fileSystem: MemoryFileSystem, readOnly: Bool = false
    ) throws -> StorageError? {
        var options = options
        options.isReadOnly = readOnly
        let before = fileSystem.snapshotContents()
        do throws(StorageError) {
            let engine = try StorageEngine.open(
                at: "/db", options: options,
                environment: StorageEnvironment(
                    fileSystem: fileSystem, clock: ManualClock(), random: SystemRandom()))
            try engine.close()
            return nil
        } catch {
            if readOnly { #expect(fileSystem.snapshotContents() == before) }
            return error
        }
    }

    /// A segment of another database would be replayed as this one's.
    @Test(arguments: [false, true]) func aSegmentOfAnotherDatabaseIsRefused(readOnly: Bool) throws {
        let ours = try killed(flushes: true)
        let names = try segments(ours)
        for name in names {
            let mixed = ours.crashClone(.keepUnsynced)
            guard case .header(var header) = try WALDirectory.readHeader(name, mixed) else {
                Issue.record("\(name) has no header")
                return
            }
            header.identity.shard = UID(high: 6, low: 6)
            try mixed.open(name, .readWrite).write(header.encoded(), at: 0)
            let condition = try DirectoryCondition.read(FileNames(root: "/db"), mixed)
            #expect(condition.problems.map(\.location?.path) == [name])
            guard let error = try refusal(mixed, readOnly: readOnly) else {
                // Whether an old one is read is not said.
                #expect(name != names.last)
                continue
            }
            #expect(error.code == .corruption)
            #expect(error.location?.path == name)
        }
        #expect(names.count > 2)
    }

    @Test func aMissingNewestSegmentIsRefused() throws {
        let fileSystem = try killed(flushes: true)
        let names = try segments(fileSystem)
        #expect(names.count > 2)
        #expect(try refusal(fileSystem.crashClone(.keepUnsynced)) == nil)
        // The rows after the flush may fill segments of their own, which no manifest vouches for.
        let flushed = try #require(
            try LogExpectation.read(FileNames(root: "/db"), fileSystem)
        ).flushedLSN
        var newest = ""
        for name in names.reversed() {
            guard case .header(let header) = try WALDirectory.readHeader(name, fileSystem) else {
                Issue.record("\(name) has no header")
                return
            }
            newest = name
            try fileSystem.remove(name)
            if header.firstLSN < flushed { break }
        }
        for readOnly in [true, false] {
            let error = try #require(try refusal(fileSystem, readOnly: readOnly))
            #expect(error.code == .corruption)
            let pattern =
                #/the log ends at ([0-9A-F/]+), before ([0-9A-F/]+), where the tables end/#
            let match = try #require(try pattern.firstMatch(in: error.message), "\(error)")
            let end = try #require(LSN(text: String(match.1)))
            let flushed = try #require(LSN(text: String(match.2)))
            #expect(end < flushed)
            #expect(error.location?.path == newest, "\(error)")
        }
    }

    @Test func everySegmentIsMissedWhileNothingIsFlushed() throws {
        let base = try killed(flushes: false)
        let names = try segments(base)
        #expect(names.count > 2)
        for name in names.dropLast() {
            let fileSystem = base.crashClone(.keepUnsynced)
            try fileSystem.remove(name)
            let error = try #require(try refusal(fileSystem), "\(name)")
            #expect(error.code == .corruption && error.location?.path == name, "\(error)")
        }
        for name in names { try base.remove(name) }
        let error = try #require(try refusal(base))
        #expect(error.code == .corruption && error.message.contains("no log"), "\(error)")
    }

    @Test func theSegmentOfTheLastLifeIsMissedThoughTheTablesDoNotReachIt() throws {
        let fixture = try EngineFixture(options: options)
        try fill(fixture, 0..<5)
        try fixture.reopen()
        try fill(fixture, 5..<10)
        let fileSystem = fixture.fileSystem.crashClone(.keepUnsynced)
        let newest = try #require(try segments(fileSystem).last)
        try fileSystem.remove(newest)
        let error = try #require(try refusal(fileSystem))
        #expect(error.code == .corruption && error.location?.path == newest, "\(error)")
        #expect(error.message.contains("incarnation 2"), "\(error)")
    }

    @Test func aLastSegmentCutBelowTheTablesIsRefused() throws {
        let fixture = try EngineFixture(options: options)
        try fill(fixture, 0..<20)
        try fixture.engine.flush()
        let fileSystem = fixture.fileSystem.crashClone(.keepUnsynced)
        let newest = try #require(try segments(fileSystem).last)
        let file = try fileSystem.open(newest, .readWrite)
        try file.truncate(to: 4096 + 3000)
        let error = try #require(try refusal(fileSystem))
        #expect(error.code == .corruption && error.message.contains("where the tables end"))
        #expect(error.location?.path == newest, "\(error)")
    }

    /// Gaps in the LSNs that are right: after a torn tail, whose log is flushed and continued.
    @Test func aDirectoryAfterATornTailOpens() throws {
        let fixture = try EngineFixture(options: options)
        try fill(fixture, 0..<20)
        let fileSystem = fixture.fileSystem.crashClone(.keepUnsynced)
        let newest = try #require(try segments(fileSystem).last)
        let end = try #require(
            { () throws -> UInt64? in
                let reader = try WALReader(directory: "/db/wal", fileSystem: fileSystem)
                while try reader.next() != nil {}
                return reader.summaries.last?.usedBytes
            }())
        let file = try fileSystem.open(newest, .readWrite)
        try file.truncate(to: end - 100)
        let again = try EngineFixture(fileSystem, options: options)
        #expect(try again.rows().count == 19)
        try again.engine.flush()
        try fill(again, 20..<25)
        for policy in [CrashPolicy.keepUnsynced, .dropUnsynced] {
            #expect(try refusal(fileSystem.crashClone(policy)) == nil)
        }
        try again.reopen()
        #expect(try again.rows().count == 24)
    }

    @Test func aCheckpointOpens() throws {
        let fixture = try EngineFixture(options: options)
        try fill(fixture, 0..<200)
        try fixture.engine.checkpoint(to: "/copy")
        for _ in 0..<2 {
            let copy = try StorageEngine.open(
                at: "/copy", options: options, environment: fixture.environment)
            #expect(try copy.rows().count == 200)
            try copy.close()
        }
    }

    @Test func aMissingManifestIsDamage() throws {
        let fileSystem = try killed(flushes: true)
        let manifest = try #require(
            try fileSystem.list("/db").first { $0.hasPrefix("MANIFEST-") })
        try fileSystem.remove("/db/" + manifest)
        let error = try #require(try refusal(fileSystem))
        #expect(error.code == .corruption && error.location?.path == "/db/" + manifest)
    }

    @Test func aDirectoryThatCannotBeMadeSaysWhy() throws {
        let environment = StorageEnvironment()
        for (path, cause) in [("/proc/no-such-engine", "No such file"), ("/proc/self/fd/x/y", "")] {
            do throws(StorageError) {
                _ = try StorageEngine.open(at: path, environment: environment)
                Issue.record("\(path) opened")
            } catch {
                #expect(error.message == "The data directory cannot be made.", "\(error)")
                #expect(error.code == .io && error.cause?.contains(cause) == true, "\(error)")
            }
        }
    }
}
