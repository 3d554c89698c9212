import FalconSchema

/// Reads a table: all of it, or the part its primary key or a secondary index singles out.
public final class ScanNode: Sendable {
    public let table: TableDescriptor
    /// The name it goes by in the query.
    public let alias: String
    public let access: ScanAccess
    /// The columns to decode, and where each goes. Others are skipped. Ascending by attribute.
    public let columns: [ScanColumn]
    /// What rows must satisfy beyond the index condition; reads only this scan's slots, outer slots
    /// and parameters.
    public let filter: BoundExpression?
    /// When set, the row's encoded table key goes here as `.bytes` (a nil slot: nobody asks).
    /// DML and row locks above read it.
    public let rowKeySlot: Int?

    public init(
        table: TableDescriptor, alias: String, access: ScanAccess, columns: [ScanColumn],
        filter: BoundExpression?, rowKeySlot: Int?
    ) {
        self.table = table
        self.alias = alias
        self.access = access
        self.columns = columns
        self.filter = filter
        self.rowKeySlot = rowKeySlot
    }
}

public struct ScanColumn: Sendable {
    public var attribute: Int16
    public var slot: Int
}

public enum ScanAccess: Sendable {
    /// Every row, in key order.
    case full(isReverse: Bool)
    /// The rows inside bounds of `index` (the primary key included: `index.isPrimary`, whose entries
    /// are the rows themselves), in index order.
    case index(IndexDescriptor, IndexBounds, isReverse: Bool)
    /// The row that the cursor of that name stands on.
    case currentOf(String)
}

/// A contiguous part of an index (or, with ``IndexMatch/anyOf`` entries, several points of it).
/// Expressions are evaluated once per (re)start of the scan.
///
/// Values have the physical form of the index column. An integer may lie outside the column's range
/// (`int4col = 5000000000`): equality then matches nothing and a bound is clamped. A bound or an
/// equality that is NULL matches nothing. Rows whose range column is NULL match no range.
public struct IndexBounds: Sendable {
    /// Conditions on the first `equalities.count` of ``TableDescriptor/entryColumns(of:)``.
    public var equalities: [IndexMatch]
    /// Bounds on the next column.
    public var lower: RangeBound?
    public var upper: RangeBound?
    /// True when all columns of a unique index are matched by `.equal`: at most one row.
    public var isPoint: Bool

    public init(
        equalities: [IndexMatch] = [], lower: RangeBound? = nil, upper: RangeBound? = nil,
        isPoint: Bool = false
    ) {
        self.equalities = equalities
        self.lower = lower
        self.upper = upper
        self.isPoint = isPoint
    }
    /// The whole index, for its order only.
    public var isUnbounded: Bool { equalities.isEmpty && lower == nil && upper == nil }

    /// What its values are computed by.
    var expressions: [BoundExpression] {
        let values = equalities.flatMap { match -> [BoundExpression] in
            switch match {
            case .equal(let value), .anyElement(let value): [value]
            case .anyOf(let values): values
            case .isNull: []
            }
        }
        return values + [lower, upper].compactMap { $0?.value }
    }
}

public enum IndexMatch: Sendable {
    case equal(BoundExpression)
    /// `column IN (…)`: each distinct non-null value once. Output order is then unspecified.
    case anyOf([BoundExpression])
    /// `column = ANY (array)`: the array's elements likewise.
    case anyElement(BoundExpression)
    /// `column IS NULL`.
    case isNull
}

public struct RangeBound: Sendable {
    public var value: BoundExpression
    public var isInclusive: Bool
    public init(_ value: BoundExpression, isInclusive: Bool) {
        self.value = value
        self.isInclusive = isInclusive
    }
}

/// A function in FROM.
public final class FunctionScanNode: Sendable {
    /// More than one for ROWS FROM: run in lock-step, the shorter ones padded with NULLs.
    public let calls: [SetReturningCall]
    /// WITH ORDINALITY's int8 counter from 1.
    public let ordinalitySlot: Int?
    public let alias: String
    public init(calls: [SetReturningCall], ordinalitySlot: Int?, alias: String) {
        self.calls = calls
        self.ordinalitySlot = ordinalitySlot
        self.alias = alias
    }
}

/// A call of a set-returning function (or of a plain one, which gives one row).
public final class SetReturningCall: Sendable {
    /// A `.set` function; nil when `scalar` is set.
    public let function: FunctionDescriptor?
    public let arguments: [BoundExpression]
    /// A plain function in FROM: its value is the single row.
    public let scalar: BoundExpression?
    /// Where the columns of each row go.
    public let slots: [Int]
    public let types: [SQLType]
    public init(
        function: FunctionDescriptor?, arguments: [BoundExpression], scalar: BoundExpression?,
        slots: [Int], types: [SQLType]
    ) {
        self.function = function
        self.arguments = arguments
        self.scalar = scalar
        self.slots = slots
        self.types = types
    }
}
