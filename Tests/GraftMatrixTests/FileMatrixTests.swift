import GraftAdapters
import GraftFormats
import GraftInference
import GraftMatrix
import GraftTestSupport
import Testing

/// Every method, on every architecture, from and to files.
@Suite struct FileMatrixTests {
    @Test("What is saved and loaded computes the same bits, and is saved as the same bytes", arguments: Cell.tried)
    func roundTrip(cell: Cell) throws {
        let rows = try cell.rows(count: 9)
        func outputs(_ adapter: Adapter) throws -> Outputs {
            let composition = try Composition(adapter: adapter, scale: 1)
            return try Outputs(cell, rows, Array(repeating: composition, count: rows.rowCount))
        }
        let folder = try Goldens.temporaryFolder()
        let made = try cell.actingAdapters()[0]
        try made.save(to: folder + "/made")
        let expected = try outputs(made)

        let loaded = try Adapter(model: try cell.model(), path: folder + "/made")
        #expect(loaded.content.plan.tensors.map(\.name) == made.content.plan.tensors.map(\.name))
        #expect(loaded.content.task == cell.task && loaded.content.labels == made.content.labels)
        let found = try outputs(loaded)
        #expect(found.states == expected.states && found.results == expected.results)
        try loaded.save(to: folder + "/loaded")
        // Written anew rather than as it was read.
        loaded.markChanged()
        try loaded.save(to: folder + "/written")

        let files = try FolderContents(folder + "/made")
        #expect(files.names.count >= 2)
        #expect(try FolderContents(folder + "/loaded") == files)
        #expect(try FolderContents(folder + "/written") == files)
    }

    @Test(
        "What an adapter computes after its numbers changed is what the saved one computes",
        arguments: Cell.tried.filter { $0.precision == .float32 })
    func changed(cell: Cell) throws {
        let rows = try cell.rows(count: 9)
        func outputs(_ composition: Composition) throws -> Outputs {
            try Outputs(cell, rows, Array(repeating: composition, count: rows.rowCount))
        }
        let adapter = try cell.actingAdapters()[0]
        let composition = try Composition(adapter: adapter, scale: 1)
        let before = try outputs(composition)
        for index in 0..<adapter.content.plan.parameterCount { adapter.content.values[index] *= 1.25 }
        adapter.markChanged()
        let after = try outputs(composition)
        #expect(after.states != before.states)

        let folder = try Goldens.temporaryFolder() + "/changed"
        try adapter.save(to: folder)
        let loaded = try Adapter(model: try cell.model(), path: folder)
        #expect(try outputs(Composition(adapter: loaded, scale: 1)).states == after.states)
    }
}
