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
}
