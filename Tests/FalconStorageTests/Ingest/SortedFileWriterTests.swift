import Testing

@testable import FalconStorage

@Suite struct SortedFileWriterTests {
    private let memory = MemoryFileSystem()
    private var environment: StorageEnvironment {
        StorageEnvironment(fileSystem: memory, clock: ManualClock(), random: SystemRandom())
    }

    private func code(_ body: () throws -> Void) -> StorageErrorCode? {
        do {
            try body()
            return nil
        } catch { return (error as? StorageError)?.code }
    }

    @Test func keysMustRise() throws {
        let writer = try SortedFileWriter(path: "/a.sst", environment: environment)
        try writer.put(key: bytes("b"), value: bytes("1"))
        for key in ["b", "a", ""] {
            #expect(
                code { try writer.put(key: bytes(key), value: bytes("2")) } == .invalidArgument)
            #expect(code { try writer.delete(key: bytes(key)) } == .invalidArgument)
        }
        #expect(
            code { try writer.deleteRange(lower: bytes("x"), upper: bytes("x")) }
                == .invalidArgument)
        try writer.delete(key: bytes("c"))
        let file = try writer.finish()
        #expect(file.entryCount == 2 && file.tombstoneCount == 1)
        #expect(file.smallestKey == Array("b".utf8) && file.largestKey == Array("c".utf8))
        #expect(try memory.fileSize("/a.sst") == file.byteCount)
        #expect(code { try writer.put(key: bytes("d"), value: bytes("")) } == .invalidArgument)
        #expect(code { _ = try writer.finish() } == .invalidArgument)
        writer.abandon()
        #expect(try memory.exists("/a.sst"))
    }

    @Test func whatIsNotFinishedIsGone() throws {
        #expect(
            code {
                _ = try SortedFileWriter(path: "/e.sst", environment: environment).finish()
            } == .invalidArgument)
        #expect(try !memory.exists("/e.sst"))
        do {
            let writer = try SortedFileWriter(path: "/f.sst", environment: environment)
            try writer.put(key: bytes("a"), value: bytes("1"))
        }
        #expect(try !memory.exists("/f.sst"))
        try SortedFixture.write([.put("a", "1")], to: "/g.sst", environment)
        #expect(
            code { _ = try SortedFileWriter(path: "/g.sst", environment: environment) }
                == .alreadyExists)
        #expect(try memory.exists("/g.sst"))
    }

    @Test func aFailedWriteLeavesNoFile() throws {
        let faults = FaultInjectingFileSystem(memory)
        let environment = StorageEnvironment(
            fileSystem: faults, clock: ManualClock(), random: SystemRandom())
        let writer = try SortedFileWriter(path: "/h.sst", environment: environment)
        try writer.put(key: bytes("a"), value: bytes("1"))
        faults.setRule(FaultRule(.operation(.sync), index: 0, errno: 5))
        #expect(code { _ = try writer.finish() } == .io)
        #expect(try !memory.exists("/h.sst"))
    }
}
