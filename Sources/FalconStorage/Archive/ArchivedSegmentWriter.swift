/// Copies an ended log segment into a repository: compressed, synced, read back, and only then under its name.
struct ArchivedSegmentWriter {
    let repository: RepositoryNames
    let fileSystem: any FileSystem
    /// ZSTD's level: the log is compressed once, while commits go on, and read seldom.
    static let level: Int32 = 1

    /// Archives the segment at `path`, unless it is archived already.
    /// - Parameter vouched: what the next segment says of where it ends.
    /// - Parameter before: asked once the copy is whole, before it gets its name; throws where the source may have
    ///   changed under the copying.
    func archive(
        _ path: String, vouched: LSN? = nil, wallMicros: UInt64,
        before publishing: () throws(StorageError) -> Void = { () throws(StorageError) in }
    ) throws(StorageError) -> ArchivedSegmentFooter {
        let source = try fileSystem.open(path, .read)
        defer { try? source.close() }
        let scan = try WALSegmentScan(source)
        let header = scan.header
        if let vouched, scan.lastLSN < vouched {
            throw .corruption(
                "The log segment ends at \(scan.lastLSN), and the next one vouches for it up to "
                    + "\(vouched).", path: path, offset: scan.endOffset,
                hint: "Make a base backup: the log cannot be archived past the damage.")
        }
        // What lies behind the seal is another life's. Without a seal recovery judges the file's end, all of it.
        let rawBytes = scan.isSealed ? scan.endOffset : try source.size()
        let target = repository.segment(header.identity.branch, header.firstLSN, header.uid)
        let directory = repository.branch(header.identity.branch)
        if try !fileSystem.exists(directory) {
            try fileSystem.createDirectoryIfMissing(directory)
            try fileSystem.syncDirectory(repository.log)
        }
        let temporary = FileNames.temporary(target)
        if try fileSystem.exists(temporary) { try fileSystem.remove(temporary) }
        var footer = ArchivedSegmentFooter(
            rawBytes: rawBytes, rawHash: 0, isSealed: scan.isSealed,
            shard: header.identity.shard, branch: header.identity.branch,
            incarnation: header.identity.incarnation, segment: header.segment, uid: header.uid,
            firstLSN: header.firstLSN, lastLSN: scan.lastLSN, predecessor: header.predecessor,
            keyID: header.keyID, wallMicros: header.wallMicros, archivedMicros: wallMicros)
        do throws(StorageError) {
            try write(source, &footer, to: temporary)
            let copy = try ArchivedSegmentFile(temporary, fileSystem)
            defer { try? copy.close() }
            try copy.verify()
            // Of the copy, too: the source may have been recycled between its scan and its copying.
            let again = try WALSegmentScan(copy)
            guard again.header == header, again.lastLSN == scan.lastLSN,
                again.isSealed == scan.isSealed
            else {
                throw StorageError(
                    .notFound, kind: .retryable, "The log segment changed while it was archived.",
                    location: .init(path: path))
            }
            try publishing()
            try fileSystem.rename(temporary, to: target)
            try fileSystem.syncDirectory(directory)
        } catch {
            try? fileSystem.remove(temporary)
            throw error
        }
        return footer
    }

    private func write(
        _ source: any File, _ footer: inout ArchivedSegmentFooter, to path: String
    ) throws(StorageError) {
        let file = try fileSystem.open(path, .create)
        do throws(StorageError) {
            let compressor = ZstdBlockCompressor(level: Self.level)
            let hash = XXH3Stream()
            let step = Int(footer.frameBytes)
            let room = UnsafeMutableRawBufferPointer.allocate(
                byteCount: BlockCompression.bound(.zstd, step), alignment: 16)
            defer { room.deallocate() }
            var frames: [ArchivedSegmentFooter.Frame] = []
            var rawOffset: UInt64 = 0
            var offset: UInt64 = 0
            while rawOffset < footer.rawBytes {
                let count = Int(min(UInt64(step), footer.rawBytes - rawOffset))
                let raw = try source.readExactly(count, at: rawOffset)
                raw.withUnsafeBytes { hash.update($0) }
                let seed = Checksum.locationSeed(
                    uid: footer.uid, offset: rawOffset, kind: ArchivedSegmentFooter.frameKind)
                let packed = raw.withUnsafeBytes { compressor.compress($0, into: room) } ?? count
                let isPacked = packed < count - count / 16
                let stored =
                    isPacked
                    ? [UInt8](
                        UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(room)[..<packed]))
                    : raw
                try file.write(stored, at: offset)
                frames.append(
                    .init(
                        storedBytes: UInt32(clamping: stored.count),
                        codec: isPacked ? .zstd : .none,
                        hash: stored.withUnsafeBytes { Checksum.xxh3($0, seed: seed) }))
                rawOffset += UInt64(count)
                offset += UInt64(stored.count)
            }
            footer.rawHash = hash.digest
            let index = ArchivedSegmentFooter.encode(frames)
            try file.write(index + footer.encoded(index: index), at: offset)
            try file.syncData()
        } catch {
            try? file.close()
            throw error
        }
        try file.close()
    }
}
