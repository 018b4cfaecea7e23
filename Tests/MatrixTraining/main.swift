/// The training of one cell of the matrix as a process of its own, to be killed:
///
///     MatrixTraining ARCHITECTURE METHOD SETTINGS TASK CHECKPOINT ADAPTER
///
/// It resumes from the checkpoint if it is there, and saves the adapter at the end.
import GraftAdapters
import GraftMatrix
import GraftTensor

let arguments = CommandLine.arguments
guard arguments.count == 7 else {
    throw GraftError(.invalidArgument, "usage: MatrixTraining ARCHITECTURE METHOD SETTINGS TASK CHECKPOINT ADAPTER")
}
let settings = arguments[3].isEmpty ? nil : arguments[3]
let task = try Tasks.named(arguments[4])
let cell = Cell(
    architecture: arguments[1], method: arguments[2], settings: settings, task: task, precision: .float32)
try cell.train(cell.options(checkpoint: arguments[5])).save(to: arguments[6])
