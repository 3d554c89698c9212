import FalconTestKit
import Synchronization
import Testing

@testable import FalconStorage

/// Few files are open at a time, and every reader finds the file it reads open.
@Suite struct FilePoolTests {
    private static let fileCount = 24

    private func make(
        limit: Int, openFileLimit: Int = 1000
    ) throws -> (LimitedFileSystem, FilePool, [PooledFile]) {
        let memory = MemoryFileSystem()
        try memory.createDirectory("/d")
        for index in 0..<Self.fileCount {
            let file = try memory.open("/d/\(index)", .create)
            try file.write([UInt8](repeating: UInt8(index), count: 64), at: 0)
        }
        let limited = LimitedFileSystem(memory, openFileLimit: openFileLimit)
        let pool = FilePool(limited, limit: limit)
        let files = try (0..<Self.fileCount).map { index throws in
            try pool.open("/d/\(index)")
        }
        return (limited, pool, files)
    }

    @Test func noMoreThanTheLimitAreOpen() throws {
        let (limited, pool, files) = try make(limit: 5)
        #expect(limited.most == 5)
        for index in (0..<200).map({ $0 * 7 % Self.fileCount }) {
            #expect(try files[index].readExactly(64, at: 0).allSatisfy { $0 == UInt8(index) })
            #expect(try files[index].size() == 64)
        }
        #expect(limited.most == 5)
        withExtendedLifetime(files) { #expect(pool.openCount == 5) }
    }

    /// What is read all the time stays open.
    @Test func aFileInUseIsNotThrownOut() throws {
        let (limited, _, files) = try make(limit: 5)
        _ = try files[3].readExactly(1, at: 0)
        let before = limited.opens
        for index in 0..<Self.fileCount where index != 3 {
            _ = try files[index].readExactly(1, at: 0)
            _ = try files[3].readExactly(1, at: 0)
        }
        #expect(limited.opens - before <= Self.fileCount - 1)
    }

    /// Event loops do not wait for an open.
    @Test func aClosedFileWouldBlock() throws {
        let (_, _, files) = try make(limit: 1)
        let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 8, alignment: 8)
        defer { room.deallocate() }
        #expect(try files[0].readCached(into: room, at: 0) == nil)
        _ = try files[0].readExactly(1, at: 0)
        #expect(try files[0].readCached(into: room, at: 0) == 8)
    }

    @Test func ownersLetFilesGo() throws {
        var (limited, pool, files) = try make(limit: 10)
        try files[Self.fileCount - 1].close()
        #expect(limited.open == 9)
        let error = #expect(throws: StorageError.self) {
            _ = try files[Self.fileCount - 1].readExactly(1, at: 0)
        }
        #expect(error?.code == .closed)
        files = []
        #expect(limited.open == 0)
        #expect(pool.openCount == 0)
    }

    @Test func aFileThatIsGoneIsDamage() throws {
        let (limited, _, files) = try make(limit: 1)
        try limited.remove("/d/2")
        let error = #expect(throws: StorageError.self) { _ = try files[2].readExactly(1, at: 0) }
        #expect(error?.code == .corruption)
        #expect(error?.location?.path == "/d/2")
    }

    /// Writers find a descriptor though the pool believed in more than there are.
    @Test func writersAreGivenRoom() throws {
        let (limited, pool, files) = try make(limit: 100, openFileLimit: Self.fileCount)
        #expect(limited.open == Self.fileCount)
        _ = try pool.create("/d/new")
        #expect(limited.open <= Self.fileCount)
        for (index, file) in files.enumerated() {
            #expect(try file.readExactly(1, at: 0) == [UInt8(index)])
        }
    }

    /// Beside a live writer a closed file could not be opened again: its name may be gone.
    @Test func aPoolWithoutALimitClosesNothing() throws {
        let (limited, pool, files) = try make(limit: .max, openFileLimit: Self.fileCount)
        for index in 0..<Self.fileCount { try limited.remove("/d/\(index)") }
        let error = #expect(throws: StorageError.self) { _ = try pool.create("/d/new") }
        #expect(error?.isOutOfDescriptors == true)
        for (index, file) in files.enumerated() {
            #expect(try file.readExactly(1, at: 0) == [UInt8(index)])
        }
    }

    /// The log, MANIFEST and CURRENT find a descriptor while tables can be closed for it.
    @Test func theLogIsGivenRoom() throws {
        let memory = MemoryFileSystem()
        let limited = LimitedFileSystem(memory, openFileLimit: 40)
        var options = EngineOptions.small
        options.walSegmentBytes = 64 << 10
        options.targetFileBytes = 16 << 10
        let engine = try StorageEngine.open(
            at: "/db", options: options, environment: StorageEnvironment(fileSystem: limited))
        defer { try? engine.close() }
        var random = SplitMix64(seed: 1)
        func fill(_ count: Int) throws {
            for index in 0..<count {
                let batch = WriteBatch()
                let value = (0..<50).map { _ in String(random.next(), radix: 16) }.joined()
                try batch.put(key: bytes("k\(index)"), value: bytes(value))
                try engine.commitAndWait(batch)
            }
        }
        try fill(400)
        try engine.compact()
        for index in 0..<400 { _ = try engine.value("k\(index)") }
        #expect(engine.store.files.openCount >= 6)
        try memory.createDirectory("/taken")
        var taken: [any File] = []
        while limited.open < 40 {
            taken.append(try limited.open("/taken/\(taken.count)", .create))
        }
        // Three segments of the log.
        try fill(200)
        withExtendedLifetime(taken) { #expect(!taken.isEmpty) }
    }

    @Test func shares() {
        #expect(FilePool.share(of: .max) == .max)
        #expect(FilePool.share(of: 256) == 64)
        #expect(FilePool.share(of: 128) == 32)
        #expect(FilePool.share(of: 20) == 8)
        #expect(FilePool.share(of: 1 << 20) == 1 << 18)
    }

    /// Readers and the hand meet all the time: each read is of its own file and none of a closed one.
    @Test func readersNeverMeetAClosedFile() throws {
        let (limited, pool, files) = try make(limit: 2)
        let seed = SurvivalSettings.seed
        let wrong = Atomic<Int>(0)
        let threads = try (0..<4).map { number in
            try WorkerThread(name: "pool-test") {
                var random = SplitMix64(seed: seed &+ UInt64(number))
                for _ in 0..<3000 {
                    let index = Int(random.next() % UInt64(Self.fileCount))
                    let found = try? files[index].readExactly(16, at: 16)
                    if found != [UInt8](repeating: UInt8(index), count: 16) {
                        wrong.wrappingAdd(1, ordering: .relaxed)
                    }
                }
            }
        }
        for thread in threads { thread.join() }
        #expect(wrong.load(ordering: .relaxed) == 0, "seed \(seed)")
        #expect(limited.most <= 2 + 4)
        #expect(pool.openCount <= 6)
    }
}
