import FalconTestKit
import Synchronization
import Testing

@testable import FalconStorage

/// What a rotation waits for, and what it leaves to the background.
struct WALRotationTests {
    private static let body = [UInt8](repeating: 7, count: 2 << 10)

    private static func fixture(_ files: any FileSystem) -> WALFixture {
        WALFixture(files, segmentBytes: 64 << 10, idleNanos: 3_600_000_000_000)
    }

    /// Writes until the log is in segment `count`.
    private static func fill(_ writer: WALWriter, to count: Int) throws -> LSN {
        var end = LSN.zero
        while writer.segmentCount < count {
            try eventually { writer.monitor.locked { !writer.wantsSpare } }
            end = try writer.append(.logicalMessage, body).end
            writer.writePending()
        }
        return end
    }

    /// Commits do not wait for the new name and the seal; whoever wants them on the device does.
    @Test func onlySyncsWaitForTheNewNameToBeDurable() throws {
        let files = HeldSyncFileSystem(MemoryFileSystem())
        let writer = try Self.fixture(files).open()
        try eventually { writer.monitor.locked { !writer.wantsSpare } }
        files.holdDirectories()
        _ = try Self.fill(writer, to: 2)
        try eventually { files.held == 1 }
        let begin = writer.header.firstLSN
        var end = begin
        for index in 0..<5 {
            end = try writer.append(.logicalMessage, WALFixture.body(index)).end
            #expect(writer.writePending())
            #expect(writer.writtenLSN == end)
        }
        let isBack = Mutex(false)
        let failure = Mutex<StorageError?>(nil)
        let waiter = try WorkerThread(name: "sync") {
            do throws(StorageError) {
                try writer.sync()
            } catch { failure.withLock { $0 = error } }
            isBack.withLock { $0 = true }
        }
        try eventually { writer.monitor.locked { writer.ioBusy } }
        #expect(writer.syncedLSN <= begin)
        #expect(isBack.withLock { $0 } == false)
        files.release()
        waiter.join()
        #expect(failure.withLock { $0 } == nil)
        #expect(writer.syncedLSN >= end)
        try writer.close()
    }

    /// Nothing in the new segment may be called durable then.
    @Test(arguments: [5, 28])
    func aNameThatCannotBeMadeDurablePoisonsTheLog(errno: Int32) throws {
        let faults = FaultInjectingFileSystem(MemoryFileSystem())
        let fixture = Self.fixture(faults)
        let writer = try fixture.open()
        try eventually { writer.monitor.locked { !writer.wantsSpare } }
        faults.setRule(FaultRule(.operation(.syncDirectory), index: 0, errno: errno))
        _ = try? Self.fill(writer, to: 2)
        try eventually { fixture.seen.withLock { $0.failures.count } == 1 }
        #expect(throws: StorageError.self) { try writer.sync() }
        #expect(writer.syncedLSN <= writer.header.firstLSN)
        try? writer.close()
    }

    /// A log whose housekeeper is held in the midst of a spare while the log moved on to its second segment, with a
    /// record there that is written and not synced; the names of segments cannot be made durable yet.
    private struct MidSpare {
        let fixture: WALFixture
        let writer: WALWriter
        let end: LSN
    }

    /// - Parameter files: holds the syncs, above whatever fails them.
    private static func midSpare(_ files: HeldSyncFileSystem) throws -> MidSpare {
        let fixture = WALFixture(
            files, segmentBytes: 4 << 20, chunkBytes: 64 << 10, idleNanos: 3_600_000_000_000)
        let writer = try fixture.open()
        let spare = writer.monitor.locked { FileNames.walSpareName(writer.nextSpareNumber) }
        files.hold(spare)
        let body = [UInt8](repeating: 7, count: 32 << 10)
        func write() throws -> LSN {
            let end = try writer.append(.logicalMessage, body).end
            writer.writePending()
            return end
        }
        while !writer.isSpareAsked { _ = try write() }
        try eventually { files.held == 1 }
        files.holdDirectories()
        // Without a spare the segment grows to twice its size; then the writer makes one itself.
        while writer.segmentCount == 1 { _ = try write() }
        let end = try write()
        #expect(writer.writtenLSN == end)
        #expect(writer.monitor.locked { writer.leftSegment != nil })
        writer.requestBackgroundSync()
        files.releaseFiles()
        return MidSpare(fixture: fixture, writer: writer, end: end)
    }

    /// The sync between two steps of a spare vouches for nothing before the segment's name is durable.
    @Test func aSyncWithinASpareSettlesTheRotationFirst() throws {
        let memory = MemoryFileSystem()
        let files = HeldSyncFileSystem(memory)
        let log = try Self.midSpare(files)
        // Who comes here with the segment's sync behind it has vouched for too much.
        try eventually { files.held == 1 }
        let begin = log.writer.header.firstLSN
        #expect(log.writer.syncedLSN <= begin)
        let survivors = try WALFixture.readAll(memory.crashClone(.dropUnsynced))
        #expect(survivors.reader.verdict.end >= log.writer.syncedLSN)
        files.release()
        try log.writer.syncBehind(log.end)
        #expect(log.writer.syncedLSN >= log.end)
        try log.writer.close()
    }

    /// The rotation cannot be settled: the sync that was asked for must not vouch for the new segment.
    @Test func aSyncAfterARotationThatFailedVouchesForNothing() throws {
        let faults = FaultInjectingFileSystem(MemoryFileSystem())
        let files = HeldSyncFileSystem(faults)
        let log = try Self.midSpare(files)
        try eventually { files.held == 1 }
        faults.setRule(FaultRule(.operation(.syncDirectory), index: 0, errno: 5))
        files.release()
        try eventually { log.fixture.seen.withLock { $0.failures.count } == 1 }
        // The housekeeper is through with the request, whatever it made of it.
        try eventually {
            log.writer.monitor.locked {
                !log.writer.isBackgroundSyncing && log.writer.backgroundSync == nil
            }
        }
        #expect(throws: StorageError.self) { try log.writer.syncBehind(log.end) }
        #expect(log.writer.syncedLSN <= log.writer.header.firstLSN)
        try? log.writer.close()
    }
}
