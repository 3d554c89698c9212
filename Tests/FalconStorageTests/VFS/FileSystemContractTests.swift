import Glibc
import Testing

@testable import FalconStorage

/// Every file system keeps the same contract; the in-memory one is held to the real one's.
@Suite struct FileSystemContractTests {
    enum Kind: CaseIterable, Sendable { case posix, memory, faultsOff, traced }

    private func with(_ kind: Kind, _ body: (any FileSystem, String) throws -> Void) throws {
        switch kind {
        case .posix:
            var template = Array("/tmp/falcon-vfs-XXXXXX".utf8CString)
            let root = template.withUnsafeMutableBufferPointer { buffer in
                buffer.baseAddress.flatMap { mkdtemp($0) }.map { String(cString: $0) }
            }
            let path = try #require(root)
            defer { _ = system("rm -rf '\(path)'") }
            try body(PosixFileSystem(), path)
        case .memory: try body(MemoryFileSystem(), "")
        case .faultsOff: try body(FaultInjectingFileSystem(MemoryFileSystem()), "")
        case .traced: try body(TracingFileSystem(MemoryFileSystem(), recordsReads: true), "")
        }
    }

    private func join(_ root: String, _ name: String) -> String {
        root.isEmpty ? name : root + "/" + name
    }

    @Test(arguments: Kind.allCases)
    func filesKeepWhatIsWritten(_ kind: Kind) throws {
        try with(kind) { fileSystem, root in
            let path = join(root, "a")
            let file = try fileSystem.open(path, .create)
            #expect(throws: StorageError.self) { _ = try fileSystem.open(path, .create) }
            try file.write([1, 2, 3], at: 0)
            try file.write([9, 9], at: 6)
            #expect(try file.size() == 8)
            #expect(try file.readExactly(8, at: 0) == [1, 2, 3, 0, 0, 0, 9, 9])
            let short = #expect(throws: StorageError.self) {
                _ = try file.readExactly(9, at: 0)
            }
            #expect(short?.code == .corruption)
            try file.truncate(to: 2)
            #expect(try fileSystem.contents(of: path) == [1, 2])
            try file.allocate(to: 5)
            #expect(try file.readExactly(5, at: 0) == [1, 2, 0, 0, 0])
            try file.syncData()
            var buffer = [UInt8](repeating: 7, count: 10)
            let got = try buffer.withUnsafeMutableBytes { try file.readCached(into: $0, at: 1) }
            #expect(got == nil || got == 4)
            try file.close()
        }
    }

    /// The link is to the bytes: it outlives the name that the symbolic link gives.
    @Test func aLinkToASymbolicLinkIsToTheFile() throws {
        try with(.posix) { fileSystem, root in
            let real = join(root, "real")
            let file = try fileSystem.open(real, .create)
            try file.write([1, 2, 3], at: 0)
            try file.close()
            #expect(symlink(real, join(root, "symbolic")) == 0)
            try fileSystem.link(join(root, "symbolic"), to: join(root, "linked"))
            #expect(try fileSystem.linkCount(real) == 2)
            try fileSystem.remove(real)
            #expect(try fileSystem.contents(of: join(root, "linked")) == [1, 2, 3])
        }
    }

    /// Opening a pipe must not wait for its other end, and nothing else than a file is one.
    @Test func whatIsNoRegularFileIsRefused() throws {
        try with(.posix) { fileSystem, root in
            let path = join(root, "pipe")
            #expect(mkfifo(path, 0o644) == 0)
            for mode in [OpenMode.read, .readWrite, .createIfMissing] {
                let error = #expect(throws: StorageError.self) {
                    _ = try fileSystem.open(path, mode)
                }
                #expect(error?.code == .io && error?.location?.path == path)
            }
            #expect(throws: StorageError.self) { _ = try fileSystem.open(root, .read) }
        }
    }

    @Test(arguments: Kind.allCases)
    func namesComeAndGo(_ kind: Kind) throws {
        try with(kind) { fileSystem, root in
            let directory = join(root, "d")
            try fileSystem.createDirectory(directory)
            let again = #expect(throws: StorageError.self) {
                try fileSystem.createDirectory(directory)
            }
            #expect(again?.code == .alreadyExists && again?.errno == EEXIST)
            try fileSystem.createDirectoryIfMissing(directory)
            let first = directory + "/x"
            let second = directory + "/y"
            try fileSystem.open(first, .createIfMissing).write([1], at: 0)
            try fileSystem.open(second, .create).write([2, 2], at: 0)
            #expect(try fileSystem.list(directory).sorted() == ["x", "y"])
            #expect(try fileSystem.fileSize(second) == 2)
            try fileSystem.link(first, to: directory + "/z")
            #expect(try fileSystem.linkCount(first) == 2)
            try fileSystem.rename(first, to: second)
            #expect(try fileSystem.contents(of: second) == [1])
            #expect(try !fileSystem.exists(first))
            #expect(try fileSystem.isDirectory(directory))
            #expect(throws: StorageError.self) { try fileSystem.removeDirectory(directory) }
            try fileSystem.remove(second)
            try fileSystem.remove(directory + "/z")
            try fileSystem.syncDirectory(directory)
            try fileSystem.removeDirectory(directory)
            let gone = #expect(throws: StorageError.self) {
                _ = try fileSystem.open(first, .read)
            }
            #expect(gone?.code == .notFound && gone?.location?.path == first)
            #expect(try fileSystem.freeSpace(root.isEmpty ? "" : root) > 0)
        }
    }

    @Test(arguments: Kind.allCases)
    func aLockHasOneHolder(_ kind: Kind) throws {
        try with(kind) { fileSystem, root in
            let path = join(root, "LOCK")
            let held = try fileSystem.lock(path)
            let error = #expect(throws: StorageError.self) { _ = try fileSystem.lock(path) }
            #expect(error?.code == .inUse)
            held.release()
            let next = try fileSystem.lock(path)
            next.release()
        }
    }

    @Test func aFullMemoryDiskSaysSoAndTakesWritesAgain() throws {
        let memory = MemoryFileSystem(capacityBytes: 100)
        let file = try memory.open("a", .create)
        try file.write([UInt8](repeating: 1, count: 90), at: 0)
        let error = #expect(throws: StorageError.self) {
            try file.write([UInt8](repeating: 1, count: 20), at: 90)
        }
        #expect(error?.code == .diskFull && error?.kind == .transient)
        try file.write([2], at: 0)
        try memory.remove("a")
        let other = try memory.open("b", .create)
        try other.write([UInt8](repeating: 1, count: 100), at: 0)
    }
}
