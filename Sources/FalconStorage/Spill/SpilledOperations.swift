/// A batch's spilled operations in their order, in one file: what the log is to get at the commit.
///
/// The places of its chunks, and their checksums, are kept in memory: the file means nothing without. Where files
/// are encrypted, so is its key, and no two writes of it have the same nonce.
final class SpilledOperations {
    private struct Chunk {
        /// Ordinals of its operations lie in this range; those beyond were rolled back.
        var ordinals: Range<UInt32>
        var offset: UInt64
        var byteCount: Int
        var checksum: UInt64
        /// What was written before it, rolled back or not: the nonce.
        var writes: UInt64
        /// The surviving ones, and their bytes as a batch counts them.
        var operations: Int
        var operationBytes: Int
    }

    private let space: SpillSpace
    private let file: any File
    private var chunks: [Chunk] = []
    private var end: UInt64 = 0
    /// Nil: the file is plain.
    private let cipher: FileCipher?
    private var writes: UInt64 = 0
    private var loaded: (place: Int, chunk: SpilledChunk)?
    /// What a rollback met, and could not tell.
    private var failure: StorageError?

    init(_ space: SpillSpace) throws(StorageError) {
        self.space = space
        cipher =
            space.store.fileSystem.keys?.ring.isSealing == true ? try FileCipher.ephemeral() : nil
        file = try space.create(space.store.names.spilledOperations)
    }

    deinit {
        try? file.close()
        // It may be large, and this an event loop.
        space.store.doom(file.path, byteCount: end)
        space.noteRemoved(end)
    }

    var memoryBytes: Int {
        chunks.count &* MemoryLayout<Chunk>.stride
            &+ (loaded == nil ? 0 : 3 &* SpilledChunk.targetBytes)
    }

    // MARK: - Writing

    /// Appends the operations that `batch` has in memory. Nothing of them is there when it throws.
    func append(_ batch: WriteBatch) throws(StorageError) {
        let (count, start) = (chunks.count, end)
        do throws(StorageError) {
            try write(batch)
        } catch {
            chunks.removeSubrange(count...)
            space.noteRemoved(end &- start)
            end = start
            // The room is wanted.
            try? file.truncate(to: start)
            throw error
        }
    }

    private func write(_ batch: WriteBatch) throws(StorageError) {
        let encoder = WALOperationEncoder()
        var ordinals: [UInt32] = []
        var bytes = 0
        for ordinal in batch.firstOrdinal..<batch.nextOrdinal {
            guard let operation = batch.memoryOperation(at: ordinal) else { continue }
            encoder.add(WALOperation(operation))
            ordinals.append(ordinal)
            bytes &+= SpilledChunk.byteCount(operation)
            if encoder.count >= SpilledChunk.targetBytes {
                try write(encoder, ordinals, bytes)
                encoder.reset()
                ordinals.removeAll(keepingCapacity: true)
                bytes = 0
            }
        }
        if !ordinals.isEmpty { try write(encoder, ordinals, bytes) }
    }

    private func write(
        _ encoder: WALOperationEncoder, _ ordinals: [UInt32], _ operationBytes: Int
    ) throws(StorageError) {
        guard let first = ordinals.first, let last = ordinals.last else { return }
        var writer = ByteWriter(capacity: encoder.count + ordinals.count * 4 + 4)
        writer.appendFixed(UInt32(truncatingIfNeeded: ordinals.count))
        for ordinal in ordinals { writer.appendFixed(ordinal) }
        writer.append(contentsOf: encoder.bytes)
        let number = writes
        writes &+= 1
        if let cipher { try seal(&writer.bytes, cipher, number) }
        let checksum = writer.bytes.withUnsafeBytes { Checksum.xxh3($0, seed: end) }
        try file.write(writer.bytes, at: end)
        chunks.append(
            Chunk(
                ordinals: first..<(last &+ 1), offset: end, byteCount: writer.count,
                checksum: checksum, writes: number, operations: ordinals.count,
                operationBytes: operationBytes))
        end &+= UInt64(writer.count)
        space.noteWritten(UInt64(writer.count))
    }

    private func seal(
        _ bytes: inout [UInt8], _ cipher: FileCipher, _ number: UInt64
    ) throws(StorageError) {
        let count = bytes.count
        bytes += [UInt8](repeating: 0, count: FileCipher.tagBytes)
        var failure: StorageError?
        bytes.withUnsafeMutableBytes { room in
            do throws(StorageError) {
                guard let base = room.baseAddress else { return }
                try cipher.seal(base, count: count, at: Self.place(number))
            } catch { failure = error }
        }
        if let failure { throw failure }
    }

    private static func place(_ number: UInt64) -> SealPlace {
        SealPlace(uid: .zero, kind: SealPlace.Kind.spilledChunk, counter: number)
    }

    // MARK: - Reading

    func operation(at ordinal: UInt32) throws(StorageError) -> WriteBatch.Operation? {
        if let failure { throw failure }
        if let loaded, chunks[loaded.place].ordinals.contains(ordinal) {
            return loaded.chunk.operation(at: ordinal)
        }
        let place = firstEnding(after: ordinal)
        guard place < chunks.count, chunks[place].ordinals.contains(ordinal) else { return nil }
        return try load(place).operation(at: ordinal)
    }

    private func firstEnding(after ordinal: UInt32) -> Int {
        var low = 0
        var high = chunks.count
        while low < high {
            let middle = (low &+ high) / 2
            if chunks[middle].ordinals.upperBound <= ordinal {
                low = middle &+ 1
            } else {
                high = middle
            }
        }
        return low
    }

    private func load(_ place: Int) throws(StorageError) -> SpilledChunk {
        if let loaded, loaded.place == place { return loaded.chunk }
        let chunk = chunks[place]
        let bytes = UnsafeMutableRawBufferPointer.allocate(
            byteCount: chunk.byteCount, alignment: 8)
        let got: Int
        do throws(StorageError) {
            got = try file.readFully(into: bytes, at: chunk.offset)
        } catch {
            bytes.deallocate()
            throw error
        }
        guard got == chunk.byteCount,
            Checksum.xxh3(UnsafeRawBufferPointer(bytes), seed: chunk.offset) == chunk.checksum
        else {
            bytes.deallocate()
            throw damaged(chunk.offset)
        }
        if let cipher {
            guard let base = bytes.baseAddress,
                cipher.open(
                    UnsafeRawBufferPointer(bytes), into: base, at: Self.place(chunk.writes))
            else {
                bytes.deallocate()
                throw damaged(chunk.offset)
            }
        }
        // From here on the bytes are the chunk's, or its failed initializer's.
        guard let read = SpilledChunk(bytes) else { throw damaged(chunk.offset) }
        loaded = (place, read)
        return read
    }

    private func damaged(_ offset: UInt64) -> StorageError {
        .corruption(
            "A transaction's spilled writes cannot be read back.", path: file.path, offset: offset,
            hint: "Roll the transaction back and run it again; look at the system's log for errors "
                + "of the device.")
    }

    // MARK: - Rolling back

    /// Forgets the operations from `ordinal` on: how many they were, and their bytes.
    func rollback(toOrdinal ordinal: UInt32) -> (operations: Int, bytes: Int) {
        var dropped = (operations: 0, bytes: 0)
        while let last = chunks.last, last.ordinals.lowerBound >= ordinal {
            dropped.operations &+= last.operations
            dropped.bytes &+= last.operationBytes
            chunks.removeLast()
            space.noteRemoved(end &- last.offset)
            end = last.offset
        }
        if let loaded, loaded.place >= chunks.count { self.loaded = nil }
        guard let last = chunks.last, last.ordinals.upperBound > ordinal else { return dropped }
        let place = chunks.count &- 1
        do throws(StorageError) {
            let chunk = try load(place)
            for candidate in chunk.ordinals where last.ordinals.contains(candidate) {
                guard candidate >= ordinal, let operation = chunk.operation(at: candidate) else {
                    continue
                }
                dropped.operations &+= 1
                dropped.bytes &+= SpilledChunk.byteCount(operation)
                chunks[place].operations &-= 1
                chunks[place].operationBytes &-= SpilledChunk.byteCount(operation)
            }
        } catch {
            failure = error
        }
        chunks[place].ordinals = last.ordinals.lowerBound..<ordinal
        return dropped
    }
}
