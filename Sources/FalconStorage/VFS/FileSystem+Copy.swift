extension FileSystem {
    /// Copies a file of `byteCount` bytes durably into a new one, and gives the XXH3-64 of what was copied. Throws
    /// `corruption` where the file has more or fewer bytes, or where its hash is not `expected`; 0: none is known.
    /// - Parameters:
    ///   - pieceBytes: read and written at once.
    ///   - progress: called with the bytes of each piece; throws to end the copy, which then is in pieces.
    @discardableResult
    func copy(
        _ from: String, to: String, byteCount: UInt64, hash expected: UInt64 = 0,
        pieceBytes: Int = 1 << 20,
        progress: (UInt64) throws(StorageError) -> Void = { _ throws(StorageError) in }
    ) throws(StorageError) -> UInt64 {
        let copy = try open(to, .create)
        let hash: UInt64
        do throws(StorageError) {
            var offset: UInt64 = 0
            hash = try read(from, byteCount: byteCount, pieceBytes) { bytes throws(StorageError) in
                try copy.write(bytes, at: offset)
                offset += UInt64(bytes.count)
                try progress(UInt64(bytes.count))
            }
            try copy.syncData()
        } catch {
            try? copy.close()
            throw error
        }
        try copy.close()
        guard expected == 0 || hash == expected else {
            throw .corruption(
                "The file's bytes are not those that were written.", path: from, offset: 0,
                hint: "Run sst-verify on it.")
        }
        return hash
    }

    /// XXH3-64 of a file that has `byteCount` bytes; throws `corruption` where it has not.
    func hash(
        of path: String, byteCount: UInt64,
        progress: (UInt64) throws(StorageError) -> Void = { _ throws(StorageError) in }
    ) throws(StorageError) -> UInt64 {
        try read(path, byteCount: byteCount, 1 << 20) { bytes throws(StorageError) in
            try progress(UInt64(bytes.count))
        }
    }

    /// Reads a whole file in pieces; its XXH3-64.
    private func read(
        _ path: String, byteCount: UInt64, _ pieceBytes: Int,
        _ body: ([UInt8]) throws(StorageError) -> Void
    ) throws(StorageError) -> UInt64 {
        let file = try open(path, .read)
        defer { try? file.close() }
        let size = try file.size()
        guard size == byteCount else {
            throw .corruption(
                "The file has \(size) bytes in place of \(byteCount).", path: path,
                offset: min(size, byteCount))
        }
        let hash = XXH3Stream()
        var offset: UInt64 = 0
        while offset < byteCount {
            let count = Int(min(UInt64(max(pieceBytes, 1)), byteCount - offset))
            let bytes = try file.readExactly(count, at: offset)
            bytes.withUnsafeBytes { hash.update($0) }
            try body(bytes)
            offset += UInt64(count)
        }
        return hash.digest
    }
}
