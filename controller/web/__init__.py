"""网页界面的位置. Reserved for the browser front end; it obeys the same layer rule as `cli`."""
