/// How a block's bytes are compressed. Values live on disk and never change meaning.
public enum BlockCodec: UInt8, Sendable, CaseIterable {
    case none = 0
    case lz4 = 1
    case zstd = 2
}
