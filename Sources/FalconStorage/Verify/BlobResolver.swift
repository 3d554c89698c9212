/// Follows the references of tables into the blob files of one directory. For one thread.
public final class BlobResolver {
    private let blobs: [FileNumber: TableDirectory.Blob]
    private let fileSystem: any FileSystem
    /// Files in which damage was found: their records are read whole.
    private let damaged: Set<FileNumber>
    private var readers: [FileNumber: BlobReader] = [:]
    /// Files that a live server has removed meanwhile, and with them what referred to them.
    private var gone: Set<FileNumber> = []
    private let names: FileNames

    /// Opens no file before a reference leads to it.
    /// - Parameter damaged: blob files in which damage was found; what tables refer to in them is read
    ///   whole, not only its head.
    public init(
        _ directory: TableDirectory, _ names: FileNames, damaged: Set<FileNumber>,
        fileSystem: any FileSystem
    ) {
        self.names = names
        blobs = Dictionary(
            directory.blobs.map { ($0.number, $0) }, uniquingKeysWith: { first, _ in first })
        self.damaged = damaged
        self.fileSystem = fileSystem
    }

    deinit { for reader in readers.values { try? reader.close() } }

    /// Why `reference` does not lead to a value of `key`; nil: it does.
    func problem(_ reference: BlobReference, _ key: [UInt8]) -> String? {
        let number = FileNumber(reference.file)
        guard let blob = blobs[number] else {
            return "blob file \(FileNames.hex(reference.file)) is not in MANIFEST"
        }
        if gone.contains(number) { return nil }
        do throws(StorageError) {
            let reader = try reader(blob)
            return damaged.contains(number) || reader.isSealed
                ? try readWhole(reader, reference, key) : try compareHead(reader, reference, key)
        } catch  where error.code == .notFound {
            return noteMissing(blob) ? nil : "its blob file is missing"
        } catch {
            return error.description
        }
    }

    /// Whether MANIFEST has let the file go since the directory was read.
    private func noteMissing(_ blob: TableDirectory.Blob) -> Bool {
        do throws(StorageError) {
            let now = try TableDirectory.read(names, fileSystem)
            guard !now.blobs.contains(where: { $0.number == blob.number }) else { return false }
        } catch { return false }
        gone.insert(blob.number)
        return true
    }

    private func reader(_ blob: TableDirectory.Blob) throws(StorageError) -> BlobReader {
        if let reader = readers[blob.number] { return reader }
        let file = try fileSystem.open(blob.path, .read)
        let reader: BlobReader
        do throws(StorageError) {
            reader = try BlobReader(
                file: file, uid: blob.uid, size: blob.fileBytes, cache: nil,
                keys: fileSystem.keys)
        } catch {
            try? file.close()
            throw error
        }
        readers[blob.number] = reader
        return reader
    }

    private func readWhole(
        _ reader: BlobReader, _ reference: BlobReference, _ key: [UInt8]
    ) throws(StorageError) -> String? {
        var pin = BlockPin()
        var failure: StorageError?
        key.withUnsafeBytes { key in
            do throws(StorageError) {
                _ = try reader.value(reference, of: key, &pin, fillCache: false)
            } catch { failure = error }
        }
        if let failure { throw failure }
        return nil
    }

    /// The records of the file are sound: here only place and key are compared.
    private func compareHead(
        _ reader: BlobReader, _ reference: BlobReference, _ key: [UInt8]
    ) throws(StorageError) -> String? {
        let size = BlobFormat.recordHeadBytes + key.count
        guard Int(reference.recordBytes) >= size else { return "it is shorter than its key" }
        let bytes = try reader.file.readExactly(size, at: reference.offset)
        let isSame = bytes.withUnsafeBytes { head in
            BlobRecord.byteCount(head) == UInt64(reference.recordBytes)
                && UInt32(littleEndian: head.loadUnaligned(fromByteOffset: 16, as: UInt32.self))
                    == reference.valueBytes
                && head[BlobFormat.recordHeadBytes...].elementsEqual(key)
        }
        return isSame ? nil : "no record of this key and size begins there"
    }
}
