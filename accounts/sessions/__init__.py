"""Sessions: how long they last, how they end, and what a form outlives of them.

`limits` knows how long, `endings` how one ends, `kept` the form that was on its way when it did,
`middleware` asks all of them at each request, `views` has the pages.
"""
