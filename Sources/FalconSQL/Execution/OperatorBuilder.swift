import FalconSchema

/// Makes the operators of a plan.
struct OperatorBuilder {
    let executor: PlanExecutor

    func build(_ node: PlanNode) throws(SQLError) -> Operator {
        let made = try makeOperator(node)
        guard let measurement = executor.measurement else { return made }
        return MeasuredOperator(
            made, measurement.makeCounters(for: node), isTimed: measurement.isTimed)
    }

    private func makeOperator(_ node: PlanNode) throws(SQLError) -> Operator {
        switch node.operation {
        case .result(let condition): return ResultOperator(executor, condition: condition)
        case .values(let values): return ValuesOperator(executor, values)
        case .scan(let scan): return buildScan(scan)
        case .function(let function): return FunctionScanOperator(executor, function)
        case .commonTable(let table): return CommonTableOperator(executor, table)
        case .filter(let child, let condition):
            return FilterOperator(executor, child: try build(child), condition: condition)
        case .project(let project):
            if !project.setReturning.isEmpty {
                return SetProjectOperator(executor, project, child: try build(project.child))
            }
            return ProjectOperator(executor, project, child: try build(project.child))
        case .join(let join):
            let left = try build(join.left)
            let right = try build(join.right)
            switch join.strategy {
            case .nestedLoop:
                return NestedLoopOperator(executor, join, left: left, right: right)
            case .hash(let keys):
                return HashJoinOperator(executor, join, keys: keys, left: left, right: right)
            }
        case .aggregate(let aggregate):
            return AggregateOperator(executor, aggregate, child: try build(aggregate.child))
        case .sort(let sort):
            return SortOperator(
                executor, sort, child: try build(sort.child), slots: sort.child.outputSlots)
        case .limit(let child, let limit, let offset):
            return LimitOperator(executor, child: try build(child), limit: limit, offset: offset)
        case .distinct(let distinct):
            return DistinctOperator(executor, distinct, child: try build(distinct.child))
        case .setOperation(let operation):
            return SetOperator(
                executor, operation, left: try build(operation.left),
                right: try build(operation.right))
        case .materialize(let child):
            return MaterializeOperator(
                executor, child: try build(child), slots: child.outputSlots)
        case .lockRows(let lock):
            return LockRowsOperator(executor, lock, child: try build(lock.child))
        case .insert(let insert):
            return InsertOperator(executor, insert, child: try build(insert.child))
        case .update(let update):
            return UpdateOperator(executor, update, child: try build(update.child))
        case .delete(let delete):
            return DeleteOperator(executor, delete, child: try build(delete.child))
        case .merge(let merge):
            return MergeOperator(executor, merge, child: try build(merge.child))
        case .window:
            throw SQLError(.featureNotSupported, "window functions are not supported yet")
        }
    }

    private func buildScan(_ node: ScanNode) -> Operator {
        if VirtualTables.isVirtual(node.table) { return VirtualScanOperator(executor, node) }
        switch node.access {
        case .full(let isReverse):
            return RangeScanOperator(executor, node, encoder: nil, isReverse: isReverse)
        case .currentOf(let cursor):
            return CurrentOfOperator(executor, node, cursor: cursor)
        case .index(let index, let bounds, let isReverse):
            if bounds.isPoint { return PointScanOperator(executor, node, index, bounds) }
            if index.isPrimary {
                return RangeScanOperator(
                    executor, node,
                    encoder: BoundsEncoder(table: node.table, index: index, bounds: bounds),
                    isReverse: isReverse)
            }
            return IndexScanOperator(executor, node, index, bounds, isReverse: isReverse)
        }
    }
}
