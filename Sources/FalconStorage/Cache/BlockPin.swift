/// Keeps one block's bytes in place while borrowed. Reusable: the next pin releases the last.
/// Must not outlive the cache.
struct BlockPin: ~Copyable {
    init() {}
    mutating func release() {}
}
