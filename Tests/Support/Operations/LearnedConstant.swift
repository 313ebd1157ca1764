internal import AviaryGraph

extension OperationRow {
  package static let learnedConstant: [OperationRow] = [
    .init(LearnedConstant([1, 6, 1, 1]).op, #"{"shape":[1,6,1,1]}"#, gives: [1, 6, 1, 1]),
    .init(LearnedConstant([5, 3], start: 1).op, #"{"shape":[5,3],"start":1}"#, gives: [5, 3]),
    .init(
      LearnedConstant([4, 2], start: nil).op, #"{"shape":[4,2],"start":"random"}"#, gives: [4, 2]),
  ]
}
