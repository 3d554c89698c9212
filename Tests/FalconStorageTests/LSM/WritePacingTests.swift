import Glibc
import Synchronization
import Testing

@testable import FalconStorage

/// Background writes and unlinks are spread out, and commits never pay for it.
@Suite struct WritePacingTests {
    // MARK: - Rate

    @Test func flushesGoBeforeCompactions() {
        var schedule = WriteLimiter.Schedule(bytesPerSecond: 1000)
        let second: UInt64 = 1_000_000_000
        #expect(schedule.reserve(1000, isFlush: false, now: 5) == 5)
        #expect(schedule.reserve(1000, isFlush: false, now: 5) == 5 + second)
        // A flush waits for no compaction, and pushes the next one back.
        #expect(schedule.reserve(500, isFlush: true, now: 5) == 5)
        #expect(schedule.reserve(500, isFlush: true, now: 5) == 5 + second / 2)
        #expect(schedule.reserve(1, isFlush: false, now: 5) == 5 + 3 * second)
        // What was not used is not saved up.
        #expect(schedule.reserve(1, isFlush: false, now: 100 * second) == 100 * second)
    }

    @Test func aLiftedLimitHoldsNobody() throws {
        let limiter = WriteLimiter(bytesPerSecond: 1)
        limiter.acquire(1 << 40, isFlush: false)
        let waits = try WorkerThread(name: "waits") { limiter.acquire(1, isFlush: false) }
        limiter.setLifted(true)
        waits.join()
        limiter.acquire(1 << 40, isFlush: true)
    }

    @Test func aLimitedEngineWritesTheSame() throws {
        var options = EngineOptions.small
        options.backgroundBytesPerSecond = 8 << 20
        let fixture = try EngineFixture(options: options)
        for round in 0..<6 {
            try fixture.put((0..<300).map { ("k\(1000 + $0)", "\(round)") }, .written)
            try fixture.engine.flush()
        }
        try fixture.engine.compact()
        #expect(try fixture.rows().count == 300)
    }

    // MARK: - Writeback

    private final class Recorder: File {
        let path = "recorder"
        let calls = Mutex<[String]>([])
        func note(_ call: String) { calls.withLock { $0.append(call) } }
        func read(
            into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
        ) throws(StorageError) -> Int { 0 }
        func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(StorageError) {
            note("write \(offset)+\(bytes.count)")
        }
        func startWriteback(from offset: UInt64, byteCount: UInt64) {
            note("send \(offset)+\(byteCount)")
        }
        func syncData() throws(StorageError) { note("sync") }
        func size() throws(StorageError) -> UInt64 { 0 }
        func truncate(to size: UInt64) throws(StorageError) {}
        func close() throws(StorageError) {}
    }

    @Test func bytesAreSentOnAsTheyCome() throws {
        let recorder = Recorder()
        let file = PacedFile(recorder, WritePacing(limiter: nil, isFlush: true))
        let half = [UInt8](repeating: 0, count: 512 << 10)
        for index in 0..<5 { try file.write(half, at: UInt64(index) * 524_288) }
        try file.syncData()
        #expect(
            recorder.calls.withLock { $0 } == [
                "write 0+524288", "write 524288+524288", "send 0+1048576",
                "write 1048576+524288", "write 1572864+524288", "send 1048576+1048576",
                "write 2097152+524288", "sync",
            ])
    }

    /// Counts the bytes of tables that are sent on.
    private final class SendingFileSystem: WrappingFileSystem {
        final class Sending: WrappingFile {
            let base: any File
            private let owner: SendingFileSystem
            init(_ base: any File, _ owner: SendingFileSystem) {
                self.base = base
                self.owner = owner
            }
            func startWriteback(from offset: UInt64, byteCount: UInt64) {
                owner.sent.withLock { $0[path, default: 0] += byteCount }
            }
        }
        let base: any FileSystem = MemoryFileSystem()
        let sent = Mutex<[String: UInt64]>([:])
        func open(_ path: String, _ mode: OpenMode) throws(StorageError) -> any File {
            Sending(try base.open(path, mode), self)
        }
    }

    @Test func anEngineSendsItsTablesOn() throws {
        let fileSystem = SendingFileSystem()
        var options = EngineOptions()
        options.compression = .none
        let engine = try StorageEngine.open(
            at: "/db", options: options, environment: StorageEnvironment(fileSystem: fileSystem))
        let value = String(repeating: "v", count: 900)
        let batch = WriteBatch()
        for row in 0..<4000 { try batch.put("key \(10000 + row)", value) }
        try engine.commitAndWait(batch)
        try engine.flush()
        let sent = fileSystem.sent.withLock { $0.filter { $0.key.hasSuffix(".sst") } }
        #expect(sent.count == 1)
        #expect(sent.values.reduce(0, +) >= 3 << 20)
        try engine.close()
    }

    @Test func writebackOfAFileDoesNoHarm() throws {
        var template = Array("/tmp/falcon-writeback-XXXXXX".utf8CString)
        let path = template.withUnsafeMutableBufferPointer { buffer in
            buffer.baseAddress.flatMap { mkdtemp($0) }.map { String(cString: $0) } ?? "/tmp"
        }
        let fileSystem = PosixFileSystem()
        defer {
            try? fileSystem.remove(path + "/file")
            try? fileSystem.removeDirectory(path)
        }
        let file = try fileSystem.open(path + "/file", .create)
        try file.write([1, 2, 3], at: 0)
        file.startWriteback(from: 0, byteCount: 3)
        file.startWriteback(from: 1 << 40, byteCount: .max)
        try file.syncData()
        #expect(try file.size() == 3)
        try file.close()
    }

    // MARK: - Unlinking

    @Test func theRateFollowsWhatBecomesObsolete() {
        #expect(RemovalPace.nanos(after: 16 << 10, backlog: 16 << 10) == 0)
        #expect(RemovalPace.nanos(after: 64 << 20, backlog: 64 << 20) == 500_000_000)
        // Much at once is gone in about ten seconds.
        #expect(RemovalPace.nanos(after: 1 << 30, backlog: 100 << 30) == 100_000_000)
        #expect(!RemovalPace.isScarce(free: 5 << 30, backlog: 1 << 30))
        #expect(RemovalPace.isScarce(free: 3 << 30, backlog: 0))
        #expect(RemovalPace.isScarce(free: 100 << 30, backlog: 60 << 30))
    }

    private func store(capacityBytes: Int) throws -> (TableStore, MemoryFileSystem, WorkerThread) {
        let memory = MemoryFileSystem(capacityBytes: capacityBytes)
        let names = FileNames(root: "/db")
        try memory.createDirectory("/db")
        try memory.createDirectory(names.sstDirectory)
        for number in 1...5 {
            try memory.open(names.table(FileNumber(UInt64(number))), .create).close()
        }
        let store = TableStore(names: names, fileSystem: memory, cache: nil)
        for number in 1...5 {
            store.doom(.rowTable, FileNumber(UInt64(number)), byteCount: 1 << 40)
        }
        let remover = try WorkerThread(name: "unlink") { store.runRemovals() }
        return (store, memory, remover)
    }

    @Test func largeTablesGoOneByOneUntilSomebodyWaits() throws {
        let (store, memory, remover) = try store(capacityBytes: .max)
        let directory = FileNames(root: "/db").sstDirectory
        while try memory.list(directory).count == 5 { sched_yield() }
        // The pause after the first is seconds long.
        #expect(try memory.list(directory).count == 4)
        #expect(store.obsoleteBytes >= 4 << 40)
        store.awaitRemovals()
        #expect(try memory.list(directory).isEmpty && store.obsoleteBytes == 0)
        store.stopRemovals()
        remover.join()
    }

    @Test func scarceSpaceComesBackAtOnce() throws {
        let (store, memory, remover) = try store(capacityBytes: 1 << 30)
        let directory = FileNames(root: "/db").sstDirectory
        while try !memory.list(directory).isEmpty { sched_yield() }
        store.stopRemovals()
        remover.join()
    }

    @Test func aFullDiskEndsThePause() throws {
        let (store, memory, remover) = try store(capacityBytes: .max)
        let directory = FileNames(root: "/db").sstDirectory
        while try memory.list(directory).count == 5 { sched_yield() }
        store.setDiskFull(true)
        while try !memory.list(directory).isEmpty { sched_yield() }
        store.stopRemovals()
        remover.join()
    }
}
