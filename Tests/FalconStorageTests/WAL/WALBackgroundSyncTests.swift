import FalconTestKit
import Synchronization
import Testing

@testable import FalconStorage

/// Syncs that the housekeeper runs, while commits go on.
struct WALBackgroundSyncTests {
    /// A flush waits for the log to be on the device: the writes of commits must not wait with it.
    @Test func writesGoOnWhileAFlushWaitsForTheLog() throws {
        let files = HeldSyncFileSystem(MemoryFileSystem())
        let fixture = WALFixture(files, segmentBytes: 4 << 20, idleNanos: 3_600_000_000_000)
        let writer = try fixture.open()
        let first = try writer.append(.logicalMessage, WALFixture.body(0))
        #expect(writer.writePending())
        #expect(writer.writtenLSN == first.end)
        files.hold()
        let failure = Mutex<StorageError?>(nil)
        let isBack = Mutex(false)
        let flush = try WorkerThread(name: "flush") {
            do throws(StorageError) {
                try writer.syncBehind(first.end)
            } catch { failure.withLock { $0 = error } }
            isBack.withLock { $0 = true }
        }
        try eventually { files.held == 1 }
        for index in 1...100 {
            let next = try writer.append(.logicalMessage, WALFixture.body(index))
            #expect(writer.writePending())
            #expect(writer.writtenLSN == next.end)
        }
        #expect(isBack.withLock { $0 } == false)
        #expect(writer.syncedLSN < first.end)
        files.release()
        flush.join()
        #expect(failure.withLock { $0 } == nil)
        #expect(writer.syncedLSN >= first.end)
        try writer.close()
    }

    /// What was not covered by the sync under way is by the next, although nobody writes any more.
    @Test func aSyncUnderWayIsFollowedByTheOneAskedFor() throws {
        let files = HeldSyncFileSystem(MemoryFileSystem())
        let fixture = WALFixture(files, segmentBytes: 4 << 20, idleNanos: 3_600_000_000_000)
        let writer = try fixture.open()
        let first = try writer.append(.logicalMessage, WALFixture.body(0))
        writer.writePending()
        files.hold()
        let early = try WorkerThread(name: "early") { try? writer.syncBehind(first.end) }
        try eventually { files.held == 1 }
        let second = try writer.append(.logicalMessage, WALFixture.body(1))
        writer.writePending()
        let late = try WorkerThread(name: "late") { try? writer.syncBehind(second.end) }
        try eventually { writer.monitor.locked { writer.isSyncAsked } }
        files.release()
        early.join()
        late.join()
        #expect(writer.syncedLSN >= second.end)
        try writer.close()
    }

    @Test func whoWaitsForASyncLearnsOfItsFailure() throws {
        let faults = FaultInjectingFileSystem(MemoryFileSystem())
        let fixture = WALFixture(faults, segmentBytes: 4 << 20, idleNanos: 3_600_000_000_000)
        let writer = try fixture.open()
        let first = try writer.append(.logicalMessage, WALFixture.body(0))
        writer.writePending()
        faults.setRule(FaultRule(.operation(.sync), index: 0, errno: 5))
        #expect(throws: StorageError.self) { try writer.syncBehind(first.end) }
        // The callback comes after the waiters are woken.
        try eventually { fixture.seen.withLock { $0.failures.count } == 1 }
        try? writer.close()
    }

    /// Near its end a segment is synced in parts, so that the rotation has little left to do.
    @Test func aSegmentsEndIsSyncedBeforeItIsReached() throws {
        let tracing = TracingFileSystem(MemoryFileSystem())
        let segmentBytes = 16 << 20
        let fixture = WALFixture(
            tracing, segmentBytes: segmentBytes, chunkBytes: 64 << 10, idleNanos: 3_600_000_000_000)
        let writer = try fixture.open()
        let path = "wal/" + FileNames.walSegmentName(WALSegmentNumber(1))
        let body = [UInt8](repeating: 7, count: 32 << 10)
        while writer.segmentCount == 1 {
            try writer.append(.logicalMessage, body)
            writer.writePending()
            try eventually {
                writer.monitor.locked {
                    !writer.isBackgroundSyncing && writer.backgroundSync == nil
                        && !writer.isSyncAsked && !writer.wantsSpare
                }
            }
        }
        try writer.close()
        var (end, unsynced, atRotation) = (0, 0, 0)
        for event in tracing.events where event.path == path {
            if event.operation == .write {
                let place = event.detail.split(separator: "+").compactMap { Int($0) }
                try #require(place.count == 2)
                end = max(end, place[0] + place[1])
                unsynced += place[1]
            } else if event.operation == .sync {
                // The last but one: the one after it is the seal's.
                if unsynced > 64 { atRotation = unsynced }
                unsynced = 0
            }
        }
        #expect(end <= segmentBytes + 64, "the segment grew: \(end)")
        #expect(atRotation <= 256 << 10, "unsynced at the rotation: \(atRotation)")
    }

    /// A segment is made in steps: the live one's sync comes between them.
    @Test func aSyncDoesNotWaitForASegmentThatIsMade() throws {
        let tracing = TracingFileSystem(MemoryFileSystem())
        let files = HeldSyncFileSystem(tracing)
        let fixture = WALFixture(
            files, segmentBytes: 16 << 20, chunkBytes: 64 << 10, idleNanos: 3_600_000_000_000)
        let writer = try fixture.open()
        tracing.clear()
        files.hold()
        let body = [UInt8](repeating: 7, count: 32 << 10)
        var end = LSN.zero
        while !writer.isSpareAsked {
            end = try writer.append(.logicalMessage, body).end
            writer.writePending()
        }
        try eventually { files.held == 1 }
        writer.requestBackgroundSync()
        files.release()
        try eventually { writer.monitor.locked { !writer.spares.isEmpty } }
        #expect(writer.syncedLSN >= end)
        try writer.close()
        let live = "wal/" + FileNames.walSegmentName(WALSegmentNumber(1))
        let events = tracing.events
        let sync = try #require(events.firstIndex { $0.operation == .sync && $0.path == live })
        let made = try #require(
            events.lastIndex { $0.operation == .write && $0.path.hasSuffix(".spare") })
        #expect(sync < made)
    }

    /// A sync under way at the end keeps rotation waiting: the room before the end is for that, since a
    /// full segment grows slowly.
    @Test func rotationIsDueBeforeTheSegmentIsFull() throws {
        let tracing = TracingFileSystem(MemoryFileSystem())
        let files = HeldSyncFileSystem(tracing)
        let segmentBytes = 16 << 20
        let fixture = WALFixture(
            files, segmentBytes: segmentBytes, chunkBytes: 64 << 10, idleNanos: 3_600_000_000_000)
        let writer = try fixture.open()
        let body = [UInt8](repeating: 7, count: 32 << 10)
        func write() throws {
            try writer.append(.logicalMessage, body)
            writer.writePending()
        }
        while writer.offset < segmentBytes / 2 { try write() }
        try eventually { writer.monitor.locked { !writer.spares.isEmpty } }
        try writer.sync()
        files.hold()
        while writer.offset < segmentBytes - (128 << 10) { try write() }
        #expect(writer.segmentCount == 1)
        files.release()
        for _ in 0..<3 where writer.segmentCount == 1 {
            try eventually {
                writer.monitor.locked {
                    !writer.isBackgroundSyncing && writer.backgroundSync == nil
                }
            }
            if writer.offset < segmentBytes - (40 << 10) { try write() }
        }
        #expect(writer.segmentCount == 2)
        try writer.close()
        let live = "wal/" + FileNames.walSegmentName(WALSegmentNumber(1))
        for event in tracing.events where event.path == live && event.operation == .write {
            let place = event.detail.split(separator: "+").compactMap { Int($0) }
            try #require(place.count == 2)
            #expect(place[0] + place[1] <= segmentBytes)
        }
    }

    /// After a life that filled segments the first of the next is a whole one, or the first writes
    /// would wait for the second. What a killed life left unused of it is given back, but not of a file that
    /// something else shares.
    @Test(arguments: [(10, false), (1000, false), (1000, true)])
    func theFirstSegmentOfABusyLogIsAWholeOne(records: Int, isShared: Bool) throws {
        let files = MemoryFileSystem()
        var options = EngineOptions()
        options.walSegmentBytes = 2 << 20
        func open(_ files: MemoryFileSystem) throws -> (engine: StorageEngine, segment: String) {
            for name in try files.list("db/wal") where name.hasSuffix(".spare") {
                try files.remove("db/wal/" + name)
            }
            let engine = try StorageEngine.open(
                at: "db", options: options, environment: StorageEnvironment(fileSystem: files))
            let names = try files.list("db/wal").filter { $0.hasSuffix(".wal") }
            return (engine, "db/wal/" + (try #require(names.max())))
        }
        let before = try StorageEngine.open(
            at: "db", options: options, environment: StorageEnvironment(fileSystem: files))
        for index in 0..<records {
            let batch = WriteBatch()
            try batch.put("key\(index)", WALFixture.body(index, 8 << 10))
            try before.commitAndWait(batch)
        }
        try before.close()
        let short = try open(files)
        let whole = UInt64(records < 100 ? 1 << 20 : 2 << 20)
        #expect(try files.fileSize(short.segment) == whole)
        let batch = WriteBatch()
        try batch.put("short", WALFixture.body(1, 100 << 10))
        try short.engine.commitAndWait(batch)
        let killed = files.crashClone(.keepUnsynced)
        try short.engine.close()
        if isShared { try killed.link(short.segment, to: "db/shared") }
        let after = try open(killed)
        let size = try killed.fileSize(short.segment)
        #expect(isShared ? size == whole : size < 512 << 10)
        #expect(try after.engine.get("short") == WALFixture.body(1, 100 << 10))
        try after.engine.close()
    }
}
