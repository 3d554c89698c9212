import Synchronization

@testable import FalconStorage

/// A file that is an array, for tests that damage it.
final class BytesFile: File {
    let path = "test.sst"
    let bytes: Mutex<[UInt8]>
    let readCount = Atomic<Int>(0)
    let readBytes = Atomic<Int>(0)

    init(_ bytes: [UInt8] = []) { self.bytes = Mutex(bytes) }

    var contents: [UInt8] { bytes.withLock { $0 } }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(StorageError)
        -> Int
    {
        readCount.wrappingAdd(1, ordering: .relaxed)
        readBytes.wrappingAdd(buffer.count, ordering: .relaxed)
        return bytes.withLock { bytes in
            guard offset < UInt64(bytes.count) else { return 0 }
            let part = bytes[Int(offset)..<min(bytes.count, Int(offset) + buffer.count)]
            buffer.copyBytes(from: part)
            return part.count
        }
    }
    func write(_ source: UnsafeRawBufferPointer, at offset: UInt64) throws(StorageError) {
        bytes.withLock { bytes in
            let end = Int(offset) + source.count
            if bytes.count < end { bytes += Array(repeating: 0, count: end - bytes.count) }
            for (index, byte) in source.enumerated() { bytes[Int(offset) + index] = byte }
        }
    }
    func syncData() throws(StorageError) {}
    func size() throws(StorageError) -> UInt64 { bytes.withLock { UInt64($0.count) } }
    func truncate(to size: UInt64) throws(StorageError) {
        bytes.withLock { $0 = Array($0.prefix(Int(size))) }
    }
    func close() throws(StorageError) {}
}
