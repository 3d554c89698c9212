import FalconSchema

/// INCLUDE: columns that an index is said to have beside its key.
extension DefinitionRunner {
    /// The attributes that INCLUDE of CREATE INDEX names.
    func included(
        _ create: AST.CreateIndex, of table: TableDescriptor
    ) throws(SQLError) -> [Int16] {
        if !create.including.isEmpty, create.accessMethod == "hash" {
            throw SQLError(
                .featureNotSupported,
                "access method \"\(create.accessMethod)\" does not support included columns")
        }
        var attributes: [Int16] = []
        for element in create.including {
            guard let name = element.column else {
                throw SQLError(
                    .featureNotSupported, "expressions are not supported in included columns")
            }
            guard let column = table.columns.first(where: { $0.name == name && !$0.isDropped })
            else {
                throw SQLError(.undefinedColumn, "column \"\(name)\" does not exist")
            }
            try checkIsPlain(element)
            attributes.append(column.attribute)
        }
        return attributes
    }

    /// Columns' names as they are joined to an index's: one that comes again gets a number.
    static func distinct(_ names: [String]) -> [String] {
        var result: [String] = []
        for name in names {
            var (free, number) = (name, 0)
            while result.contains(free) {
                number += 1
                free = name + String(number)
            }
            result.append(free)
        }
        return result
    }

    private func checkIsPlain(_ element: AST.IndexElement) throws(SQLError) {
        let option: String
        if element.collation != nil {
            option = "a collation"
        } else if element.operatorClass != nil {
            option = "an operator class"
        } else if element.isDescending || element.isAscending {
            option = "ASC/DESC options"
        } else if element.nullsFirst != nil {
            option = "NULLS FIRST/LAST options"
        } else {
            return
        }
        throw SQLError(.invalidObjectDefinition, "including column does not support \(option)")
    }

    /// The attributes that INCLUDE of a constraint names.
    func included(
        _ names: [String], of table: TableDescriptor, at place: Int?
    ) throws(SQLError) -> [Int16] {
        var attributes: [Int16] = []
        for name in names {
            guard let column = table.columns.first(where: { $0.name == name && !$0.isDropped })
            else {
                throw SQLError(
                    .undefinedColumn, "column \"\(name)\" named in key does not exist",
                    byteOffset: place)
            }
            attributes.append(column.attribute)
        }
        return attributes
    }
}
