import Glibc
import Testing

@testable import FalconStorage

/// A mapping writes what `write` would, and says when it cannot.
@Suite struct FileMappingTests {
    private func withFile(bytes: Int, _ body: (any File, String) throws -> Void) throws {
        var template = Array("/tmp/falcon-map-XXXXXX".utf8CString)
        let root = template.withUnsafeMutableBufferPointer { buffer in
            buffer.baseAddress.flatMap { mkdtemp($0) }.map { String(cString: $0) }
        }
        let directory = try #require(root)
        defer { _ = system("rm -rf '\(directory)'") }
        let file = try PosixFileSystem().open(directory + "/log", .create)
        try file.write([UInt8](repeating: 0, count: bytes), at: 0)
        try body(file, directory + "/log")
        try file.close()
    }

    private func write(_ mapping: FileMapping, _ bytes: [UInt8], at offset: UInt64) -> Bool {
        bytes.withUnsafeBytes { mapping.write($0, at: offset) }
    }

    /// Where nothing is mapped (another file system), the log has to do without.
    @Test func mappedWritesAreReadBackThroughTheFile() throws {
        try withFile(bytes: 600 << 10) { file, path in
            guard let mapping = file.mapForWrites(byteCount: 600 << 10) else { return }
            var expected = [UInt8](repeating: 0, count: 600 << 10)
            for offset in stride(from: 0, to: expected.count - 200, by: 4999) {
                let bytes = (0..<200).map { UInt8(truncatingIfNeeded: offset + $0) }
                #expect(write(mapping, bytes, at: UInt64(offset)))
                expected.replaceSubrange(offset..<(offset + 200), with: bytes)
            }
            try file.write([1, 2, 3], at: 77)
            expected.replaceSubrange(77..<80, with: [1, 2, 3])
            try file.syncData()
            #expect(try PosixFileSystem().contents(of: path) == expected)
        }
    }

    /// What the kernel says is mapped of the file, in KiB; nil: it is not mapped.
    private func mappedKiB(_ path: String) throws -> Int? {
        let smaps = try #require(fopen("/proc/self/smaps", "r"))
        defer { fclose(smaps) }
        var text: UnsafeMutablePointer<CChar>?
        var capacity = 0
        defer { free(text) }
        var isOurs = false
        while getline(&text, &capacity, smaps) > 0, let text {
            let fields = String(cString: text).split { $0 == " " || $0 == "\n" }
            if fields.first?.contains("-") == true { isOurs = fields.last == path[...] }
            if isOurs, fields.first == "Rss:" { return Int(fields[1]) }
        }
        return nil
    }

    /// A sync interrupts all processors for each dirty page that is mapped: none is when it begins, and the writer
    /// goes on as if nothing had been.
    @Test func noPageIsMappedOnceItIsLetGo() throws {
        try withFile(bytes: 600 << 10) { file, path in
            guard let mapping = file.mapForWrites(byteCount: 600 << 10) else { return }
            #expect(write(mapping, [1, 2, 3], at: 300 << 10))
            #expect(try #require(try mappedKiB(path)) > 0)
            mapping.letGo()
            #expect(try mappedKiB(path) == 0)
            #expect(write(mapping, [4, 5], at: (300 << 10) + 3))
            try file.syncData()
            var expected = [UInt8](repeating: 0, count: 600 << 10)
            expected.replaceSubrange((300 << 10)..<((300 << 10) + 5), with: [1, 2, 3, 4, 5])
            #expect(try PosixFileSystem().contents(of: path) == expected)
        }
    }

    @Test func whatIsOutsideIsLeftToTheFile() throws {
        try withFile(bytes: 8192) { file, _ in
            guard let mapping = file.mapForWrites(byteCount: 8192) else { return }
            #expect(!write(mapping, [1, 2], at: 8191))
            #expect(!write(mapping, [1], at: 8192))
            #expect(!write(mapping, [1], at: .max))
            #expect(write(mapping, [1, 2], at: 8190))
        }
    }

    /// The file is shorter than the mapping: the kernel refuses the pages, and no store is tried.
    @Test func pagesThatDoNotExistAreRefusedAndNotTouched() throws {
        try withFile(bytes: 4096) { file, _ in
            guard let mapping = file.mapForWrites(byteCount: 1 << 20) else { return }
            #expect(!write(mapping, [1], at: 512 << 10))
            #expect(!write(mapping, [1], at: 0))
        }
    }

    @Test func anEmptyFileIsNotMapped() throws {
        try withFile(bytes: 0) { file, _ in #expect(file.mapForWrites(byteCount: 0) == nil) }
    }
}
