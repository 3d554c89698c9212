import FalconStorage
import Testing

@Suite struct BlockCompressionTests {
    static let samples: [[UInt8]] = [
        [1], Array(repeating: 7, count: 4096),
        (0..<10_000).map { UInt8(truncatingIfNeeded: $0 / 7) },
    ]

    @Test(arguments: BlockCodec.allCases)
    func roundTripsThroughRawMemory(_ codec: BlockCodec) {
        for sample in Self.samples {
            var packed = [UInt8](repeating: 0, count: BlockCompression.bound(codec, sample.count))
            let size = sample.withUnsafeBytes { source in
                packed.withUnsafeMutableBytes {
                    BlockCompression.compress(codec, source, into: $0)
                }
            }
            guard let size else {
                Issue.record("\(codec) did not fit its own bound")
                continue
            }
            var restored = [UInt8](repeating: 0, count: sample.count)
            let good = packed[..<size].withUnsafeBytes { source in
                restored.withUnsafeMutableBytes {
                    BlockCompression.decompress(codec, source, into: $0)
                }
            }
            #expect(good)
            #expect(restored == sample)
        }
    }

    @Test(arguments: BlockCodec.allCases)
    func aWrongSizeOrTruncatedInputFails(_ codec: BlockCodec) {
        let sample = Self.samples[1]
        var packed = [UInt8](repeating: 0, count: BlockCompression.bound(codec, sample.count))
        let size =
            sample.withUnsafeBytes { source in
                packed.withUnsafeMutableBytes { BlockCompression.compress(codec, source, into: $0) }
            } ?? 0
        for (inputBytes, outputBytes) in [
            (size, sample.count - 1), (size, sample.count + 1), (size - 1, sample.count),
        ] {
            var restored = [UInt8](repeating: 0, count: outputBytes)
            let good = packed[..<inputBytes].withUnsafeBytes { source in
                restored.withUnsafeMutableBytes {
                    BlockCompression.decompress(codec, source, into: $0)
                }
            }
            #expect(!good)
        }
    }

    @Test func aKeptContextMakesTheSameBlocks() {
        let compressor = ZstdBlockCompressor()
        for sample in Self.samples {
            var kept = [UInt8](repeating: 0, count: BlockCompression.bound(.zstd, sample.count))
            let size =
                sample.withUnsafeBytes { source in
                    kept.withUnsafeMutableBytes { compressor.compress(source, into: $0) }
                } ?? -1
            var restored = [UInt8](repeating: 0, count: sample.count)
            let good = kept[..<max(0, size)].withUnsafeBytes { source in
                restored.withUnsafeMutableBytes {
                    BlockCompression.decompress(.zstd, source, into: $0)
                }
            }
            #expect(good && restored == sample)
        }
    }
}
