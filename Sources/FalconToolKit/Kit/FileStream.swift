import FalconStorage

/// A stream into a new file: where `--out` sends a tool's data.
final class FileStream: ToolStream {
    private let file: any File
    private var offset: UInt64 = 0
    private var error: StorageError?

    init(_ file: any File) {
        self.file = file
        super.init(bufferBytes: 64 << 10)
    }

    override func emit(_ bytes: [UInt8]) {
        guard error == nil else { return }
        do throws(StorageError) {
            try file.write(bytes, at: offset)
            offset += UInt64(bytes.count)
        } catch {
            self.error = error
            isClosed = true
        }
    }

    /// Makes the file durable. What went wrong, if anything did: the file is not whole then.
    func end() -> StorageError? {
        flush()
        if let error { return error }
        do throws(StorageError) {
            try file.syncData()
            try file.close()
            return nil
        } catch { return error }
    }
}
