/// The first data blocks of a table, kept until there are enough to train a dictionary.
final class DictionarySamples {
    /// Samples per dictionary byte: ZDICT wants about a hundred, and gains little beyond.
    private static let ratio = 64
    /// Blocks that a trained dictionary is tried on, and the least it must save to be kept: each block
    /// read costs more with one.
    private static let trialBlocks = 32
    private static let trialShare = 0.97

    private let buffer: ByteBuffer
    private let wanted: Int
    private var sizes: [Int] = []
    private var starts: [Int] = []

    init(dictionaryBytes: Int) {
        wanted = dictionaryBytes * DictionarySamples.ratio
        buffer = ByteBuffer(capacity: min(wanted, 1 << 20))
    }

    var byteCount: Int { buffer.count }
    var count: Int { sizes.count }
    var isComplete: Bool { buffer.count >= wanted }

    func add(_ block: UnsafeRawBufferPointer) {
        starts.append(buffer.count)
        sizes.append(block.count)
        buffer.append(block)
    }

    func block(_ place: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(
            rebasing: buffer.bytes[starts[place]..<(starts[place] + sizes[place])])
    }

    /// The dictionary, which `compressor` uses from now on; nil when it would not pay.
    func train(_ compressor: ZstdBlockCompressor, limit: Int) -> ZstdDictionary? {
        guard
            let dictionary = ZstdDictionary.train(
                samples: buffer.bytes, sizes: sizes, limit: limit)
        else { return nil }
        let without = trial(compressor)
        if compressor.use(dictionary),
            Double(trial(compressor)) <= Double(without) * DictionarySamples.trialShare
        {
            return dictionary
        }
        _ = compressor.use(nil)
        return nil
    }

    /// What some of the blocks take compressed.
    private func trial(_ compressor: ZstdBlockCompressor) -> Int {
        let step = max(1, count / DictionarySamples.trialBlocks)
        let room = ByteBuffer(capacity: BlockCompression.bound(.zstd, sizes.max() ?? 0))
        var total = 0
        for place in stride(from: 0, to: count, by: step) {
            let target = UnsafeMutableRawBufferPointer(start: room.pointer, count: room.capacity)
            total += compressor.compress(block(place), into: target) ?? sizes[place]
        }
        return total
    }
}
