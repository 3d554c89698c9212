/// How a block's bytes are compressed. Values live on disk and never change meaning.
public enum BlockCodec: UInt8, Sendable, CaseIterable {
    /// Stored as it is.
    case none = 0
    /// LZ4: fast both ways.
    case lz4 = 1
    /// ZSTD: smaller, slower to write; may use a dictionary, see ``EngineOptions/bottomDictionaryBytes``.
    case zstd = 2
}
