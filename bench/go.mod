module stagedoor/bench

go 1.26.0

replace stagedoor => ../
