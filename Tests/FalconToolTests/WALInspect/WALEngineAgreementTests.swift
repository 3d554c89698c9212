import FalconToolKit
import Foundation
import Testing

@testable import FalconStorage

/// What wal-inspect foretells of a damaged log is what the engine does with a copy of it: for each damage of the
/// table, with tables that end before the log, in it, and late in it.
@Suite struct WALEngineAgreementTests {
    enum Tables: String, Sendable, CaseIterable {
        case none
        case intoTheSecondSegment
        case beforeTheLastSegment

        func end(of log: LogForge) -> LSN {
            switch self {
            case .none: .zero
            case .intoTheSecondSegment: log.segments[1].chunks[2].end
            case .beforeTheLastSegment: log.segments[2].header.firstLSN
            }
        }
    }

    @Test(arguments: WALDamageTableTests.table, Tables.allCases)
    func theEngineDoesWhatIsForetold(_ damage: LogDamage, _ tables: Tables) throws {
        let log = try damage.log()
        try log.write(rest: damage.rest)
        try log.makeEngineDirectory(flushedLSN: tables.end(of: log))
        try damage.mutilate(log)
        let before = log.fileSystem.snapshotContents()
        let run = ToolRun(
            WALInspect.self, [log.root, "--format", "json"], environment: log.environment)
        #expect(log.fileSystem.snapshotContents() == before)
        let fields = try #require(
            JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any],
            "\(run.output)")
        let foretold = try #require(fields["recovery"] as? String, "\(run.output)")
        let replays = (fields["replays_commits"] as? Int) ?? 0
        for isReadOnly in [true, false] {
            let copy = log.fileSystem.crashClone(.keepUnsynced)
            let environment = StorageEnvironment(
                fileSystem: copy, clock: log.clock, random: SeededRandom(seed: 3))
            var options = EngineOptions()
            options.isReadOnly = isReadOnly
            options.closedTimestampMicros = 0
            options.memtableBytes = 64 << 10
            options.walSegmentBytes = 64 << 10
            options.blockCacheBytes = 1 << 20
            do throws(StorageError) {
                let engine = try StorageEngine.open(
                    at: log.root, options: options, environment: environment)
                #expect(foretold == "recovers", "\(damage.name): it opens; \(run.output)")
                if replays > 0, isReadOnly {
                    #expect(
                        fields["recovers_to_timestamp"] as? String
                            == engine.publishedTimestamp.description, "\(run.output)")
                }
                try engine.close()
            } catch {
                #expect(foretold == "refuses", "\(damage.name): \(error); \(run.output)")
            }
        }
    }

    /// The rule for a segment of another database: recovery minds the ones that it reads.
    @Test(arguments: Tables.allCases)
    func aForeignSegmentIsRefusedWhereItIsRead(_ tables: Tables) throws {
        for segment in 1...3 {
            let log = try LogScenarios.plain()
            try log.write()
            try log.makeEngineDirectory(flushedLSN: tables.end(of: log))
            try log.rehead(segment) { $0.identity.shard = UID(high: 9, low: 9) }
            let run = ToolRun(WALInspect.self, [log.root], environment: log.environment)
            #expect(run.exit == .corruption)
            #expect(run.output.components(separatedBy: "GEN013").count == 2, "\(run.output)")
            var options = EngineOptions()
            options.isReadOnly = true
            var opens = true
            do throws(StorageError) {
                try StorageEngine.open(
                    at: log.root, options: options, environment: log.environment
                ).close()
            } catch { opens = false }
            #expect(
                run.output.contains("recovery refuses") == !opens,
                "segment \(segment), \(tables): \(run.output)")
            let firstRead =
                switch tables {
                case .none: 1
                case .intoTheSecondSegment: 2
                case .beforeTheLastSegment: 3
                }
            // Where the tables end just where a segment does, the reader may begin with either.
            if segment != firstRead - 1 || tables != .beforeTheLastSegment {
                #expect(opens == (segment < firstRead), "segment \(segment), \(tables)")
            }
        }
    }
}

extension LogForge {
    /// FORMAT, MANIFEST and CURRENT around the log, without tables: a directory that the engine opens.
    func makeEngineDirectory(flushedLSN: LSN) throws {
        let names = FileNames(root: root)
        let shard = UID(high: 2, low: 2)
        try fileSystem.replace(
            names.format, with: FormatFile(shard: shard, createdWallMicros: 0).encoded())
        var state = VersionEdit()
        state.isSnapshot = true
        state.flushedLSN = flushedLSN
        state.nextFileNumber = FileNumber(1)
        state.incarnation = Incarnation(
            number: 1, branch: UID(high: 3, low: 1), parent: .zero, forkLSN: .zero, epoch: 1)
        let manifest = try ManifestWriter(
            number: 1, uid: UID(high: 7, low: 7), shard: shard, snapshot: state, names, fileSystem)
        try manifest.close()
        try CurrentMarker.write(manifest: 1, names, fileSystem)
    }
}
