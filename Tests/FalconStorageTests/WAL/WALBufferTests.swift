import Testing

@testable import FalconStorage

/// The memory of the log's buffers.
struct WALBufferTests {
    /// Two buffers as large as the largest value would stay for the life of the engine, outside its budget.
    @Test(arguments: [(1 << 20, true), (20 << 20, false), (64_000_000, false)])
    func whatALargeRecordTookIsGivenBack(bytes: Int, isKept: Bool) {
        var buffer = WALBuffer(endLSN: .zero)
        defer { buffer.deallocate() }
        _ = buffer.reserve(bytes, chunkBytes: 128 << 10)
        buffer.closeChunk()
        let grown = buffer.capacity
        #expect(grown >= bytes)
        buffer.reset(endLSN: buffer.endLSN)
        #expect(buffer.isEmpty)
        #expect(buffer.capacity == (isKept ? grown : WALBuffer.initialCapacity))
        _ = buffer.reserve(100, chunkBytes: 128 << 10)
        #expect(!buffer.isEmpty)
    }
}
