/// The size no value and no row on its way to a client exceeds: PostgreSQL's largest allocation.
///
/// What makes a value out of others asks here before it makes it, so that no statement can ask for
/// memory without bound.
public enum ValueLimit {
    public static let maximumBytes = 0x3FFF_FFFF

    /// Before `more` bytes are added to `held`, as PostgreSQL's string buffers say it.
    @inlinable
    public static func checkGrowth(_ held: Int, by more: Int) throws(SQLError) {
        if more >= maximumBytes - held { throw cannotGrow(held, more) }
    }

    /// Before a value of `bytes` is made in one piece.
    @inlinable
    public static func checkAllocation(_ bytes: Int) throws(SQLError) {
        if bytes > maximumBytes - 4 { throw cannotAllocate(bytes) }
    }

    /// A value somebody made, whatever its kind.
    @inlinable
    public static func check(_ value: Datum) throws(SQLError) {
        switch value {
        case .text(let text): try checkAllocation(text.utf8.count)
        case .bytes(let bytes): try checkAllocation(bytes.count)
        case .array(let array): try check(array)
        default: break
        }
    }

    /// Before `value` is written as text, where that is much longer than the value.
    public static func checkText(of value: Datum) throws(SQLError) {
        if case .bytes(let bytes) = value { try checkAllocation(bytes.count * 2 - 1) }
    }

    /// The elements of an array, together.
    public static func check(_ array: ArrayValue) throws(SQLError) {
        guard let first = array.elements.first(where: { !$0.isNull }) else { return }
        switch first {
        case .text, .bytes, .numeric: break
        default: return
        }
        var total = 0
        for element in array.elements {
            switch element {
            case .text(let text): total += text.utf8.count + 4
            case .bytes(let bytes): total += bytes.count + 4
            case .numeric(let number): total += number.digitSpan / 2 + 8
            default: break
            }
            if total > maximumBytes { throw arrayTooLarge }
        }
    }

    @usableFromInline
    static func cannotGrow(_ held: Int, _ more: Int) -> SQLError {
        SQLError(
            .programLimitExceeded, "out of memory",
            detail:
                "Cannot enlarge string buffer containing \(held) bytes by \(more) more bytes.")
    }

    @usableFromInline
    static func cannotAllocate(_ bytes: Int) -> SQLError {
        SQLError(.internalError, "invalid memory alloc request size \(bytes + 4)")
    }

    static let arrayTooLarge = SQLError(
        .programLimitExceeded, "array size exceeds the maximum allowed (\(maximumBytes))")
}
